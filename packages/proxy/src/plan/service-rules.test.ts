import type { EndpointSlice, Service } from '@wherry/api';
import { describe, expect, it } from 'vitest';
import { placeEndpoints } from './endpoints.ts';
import { planService, type Target } from './service-rules.ts';

const node = { nodeName: 'node-1' };

function service(spec: Service['spec'], labels?: Record<string, string>): Service {
  return {
    metadata: { namespace: 'shop', name: 'web', ...(labels === undefined ? {} : { labels }) },
    spec: { clusterIP: '10.96.0.5', ports: [{ name: 'http', port: 80, protocol: 'TCP' }], ...spec },
  };
}

interface Ep {
  ip: string;
  node?: string;
  ready?: boolean;
  serving?: boolean;
  terminating?: boolean;
}
function slice(endpoints: readonly Ep[], port = 8080, name = 'http'): EndpointSlice {
  return {
    addressType: 'IPv4',
    ports: [{ name, port, protocol: 'TCP' }],
    endpoints: endpoints.map(({ ip, node: nodeName, ...conditions }) => ({
      addresses: [ip],
      conditions,
      ...(nodeName === undefined ? {} : { nodeName }),
    })),
  };
}

const ips = (target: Target | undefined): string =>
  target?.kind === 'forward'
    ? target.endpoints.map((one) => `${one.ip}:${one.port}`).join(' ')
    : (target?.kind ?? 'none');

describe('planService', () => {
  it.each<[string, Service['spec'], readonly Ep[], string, string]>([
    [
      'ready endpoints of the whole cluster',
      {},
      [{ ip: '10.0.0.1' }, { ip: '10.0.0.2', ready: false }],
      '10.0.0.1:8080',
      '10.0.0.1:8080',
    ],
    ['nothing ready: rejects', {}, [{ ip: '10.0.0.2', ready: false }], 'reject', 'reject'],
    [
      'terminating ones that serve, only when none is ready',
      {},
      [
        { ip: '10.0.0.1', ready: false, serving: true, terminating: true },
        { ip: '10.0.0.2', ready: false, serving: false, terminating: true },
      ],
      '10.0.0.1:8080',
      '10.0.0.1:8080',
    ],
    [
      'a ready one beats those that terminate',
      {},
      [{ ip: '10.0.0.1', ready: false, serving: true, terminating: true }, { ip: '10.0.0.3' }],
      '10.0.0.3:8080',
      '10.0.0.3:8080',
    ],
    [
      'internalTrafficPolicy Local',
      { internalTrafficPolicy: 'Local' },
      [
        { ip: '10.0.0.1', node: 'node-1' },
        { ip: '10.0.0.2', node: 'node-2' },
      ],
      '10.0.0.1:8080',
      '10.0.0.1:8080 10.0.0.2:8080',
    ],
    [
      'internalTrafficPolicy Local without a local one: drops',
      { internalTrafficPolicy: 'Local' },
      [{ ip: '10.0.0.2', node: 'node-2' }],
      'drop',
      '10.0.0.2:8080',
    ],
    [
      'externalTrafficPolicy Local without a local one: drops',
      { externalTrafficPolicy: 'Local' },
      [{ ip: '10.0.0.2', node: 'node-2' }],
      '10.0.0.2:8080',
      'drop',
    ],
    [
      'externalTrafficPolicy Local with a local one that terminates',
      { externalTrafficPolicy: 'Local' },
      [
        { ip: '10.0.0.1', node: 'node-1', ready: false, serving: true, terminating: true },
        { ip: '10.0.0.2', node: 'node-2' },
      ],
      '10.0.0.2:8080',
      '10.0.0.1:8080',
    ],
  ])('%s', (_, spec, endpoints, internal, external) => {
    const [rule] = planService(service(spec), [slice(endpoints)], node);
    expect([ips(rule?.internal), ips(rule?.external)]).toEqual([internal, external]);
  });

  it.each<[string, Service | undefined]>([
    ['a service that is gone', undefined],
    ['headless', service({ clusterIP: 'None' })],
    ['ExternalName', service({ type: 'ExternalName' })],
    ['another proxy’s', service({}, { 'service.kubernetes.io/service-proxy-name': 'other' })],
    ['IPv6 only', service({ clusterIP: 'fd00::1', clusterIPs: ['fd00::1'] })],
  ])('has no rule for %s', (_, subject) =>
    expect(planService(subject, [slice([{ ip: '10.0.0.1' }])], node)).toEqual([]));

  it('matches ports by name, and takes an address that is in two slices once', () => {
    const slices = [
      slice([{ ip: '10.0.0.1', ready: false }]),
      slice([{ ip: '10.0.0.1' }]),
      slice([{ ip: '10.0.0.9' }], 9, 'other'),
    ];
    const [rule] = planService(service({}), slices, node);
    expect(ips(rule?.internal)).toBe('10.0.0.1:8080');
  });

  it('knows ClientIP affinity and upstream’s default timeout', () => {
    expect(planService(service({ sessionAffinity: 'ClientIP' }), [], node)[0]?.affinitySeconds).toBe(10_800);
    const short = { sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 5 } } };
    expect(planService(service(short), [], node)[0]?.affinitySeconds).toBe(5);
  });
});

describe('placeEndpoints', () => {
  const at = (...names: string[]) => names.map((ip) => ({ ip, port: 1 }));
  it.each([
    ['from nothing', '', 'a b c', 'a b c'],
    ['one leaves: the last fills its place', 'a b c', 'b c', 'c b'],
    ['one comes: the others stay', 'c b', 'a b c', 'c b a'],
    ['one is replaced in place', 'a b c', 'a c d', 'a d c'],
    ['all leave', 'a b', '', ''],
  ])('%s', (_, previous, wanted, expected) => {
    const split = (text: string) => at(...text.split(' ').filter((part) => part !== ''));
    expect(placeEndpoints(split(previous), split(wanted))).toEqual(split(expected));
  });
});
