import type { Service, ServiceSpec } from '@wherry/api';
import { describe, expect, it, test } from 'vitest';
import { grantService, serviceNeeds } from '../../service-allocation.ts';
import { created, createRefusals, row, updateRefusals } from '../../validation-cases.ts';
import { serviceStrategy } from './strategy.ts';

const http = { name: 'http', port: 80, protocol: 'TCP', targetPort: 8080 };

function service(spec: ServiceSpec, status?: Service['status']): Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web', namespace: 'default' },
    spec: { ports: [http], ...spec },
    ...(status === undefined ? {} : { status }),
  };
}

describe('creating a Service', () => {
  it.each([
    ['ClusterIP', {}],
    ['NodePort', { type: 'NodePort' }],
    ['LoadBalancer', { type: 'LoadBalancer' }],
    ['ExternalName', { type: 'ExternalName', externalName: 'db.example.com', ports: [] }],
    ['headless', { clusterIP: 'None', ports: [] }],
    ['with an address', { clusterIP: '10.96.0.10' }],
    ['with affinity', { sessionAffinity: 'ClientIP' }],
  ])('accepts %s', (_name, spec: ServiceSpec) => {
    expect(createRefusals(serviceStrategy, service(spec))).toEqual([]);
  });

  const cases: readonly (readonly [string, ServiceSpec, readonly string[]])[] = [
    ['no ports', { ports: [] }, ['spec.ports: Required value']],
    [
      'a bad port',
      { ports: [{ port: 0 }] },
      [
        'spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive',
        'spec.ports[0].targetPort: Invalid value: 0: must be between 1 and 65535, inclusive',
      ],
    ],
    [
      'two ports without names',
      { ports: [{ port: 1 }, { port: 2 }] },
      ['spec.ports[0].name: Required value', 'spec.ports[1].name: Required value'],
    ],
    [
      'a protocol nobody speaks',
      { ports: [{ ...http, protocol: 'ICMP' }] },
      ['spec.ports[0].protocol: Unsupported value: "ICMP": supported values: "SCTP", "TCP", "UDP"'],
    ],
    [
      'one port twice',
      { ports: [http, { ...http, name: 'b' }] },
      ['spec.ports[1]: Duplicate value: {"protocol":"TCP","port":80}'],
    ],
    [
      'a node port for ClusterIP',
      { ports: [{ ...http, nodePort: 30080 }] },
      ["spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"],
    ],
    [
      'an unknown type',
      { type: 'Magic' },
      [
        'spec.type: Unsupported value: "Magic": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"',
      ],
    ],
    ['no external name', { type: 'ExternalName' }, ['spec.externalName: Required value']],
    [
      'a headless NodePort',
      { type: 'NodePort', clusterIP: 'None' },
      ['spec.clusterIPs[0]: Invalid value: "None": may not be set to \'None\' for NodePort services'],
    ],
    [
      'a bad address',
      { clusterIP: '10.96' },
      ['spec.clusterIPs[0]: Invalid value: "10.96": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'],
    ],
    [
      'dual stack',
      { ipFamilyPolicy: 'RequireDualStack' },
      [
        'spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services',
      ],
    ],
    [
      'a loopback external IP',
      { externalIPs: ['127.0.0.1'] },
      ['spec.externalIPs[0]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)'],
    ],
    [
      'source ranges without a balancer',
      { loadBalancerSourceRanges: ['10.0.0.0/8'] },
      ["spec.LoadBalancerSourceRanges: Forbidden: may only be used when `type` is 'LoadBalancer'"],
    ],
    [
      'a policy for traffic that never comes',
      { externalTrafficPolicy: 'Local' },
      ['spec.externalTrafficPolicy: Invalid value: "Local": may only be set for externally-accessible services'],
    ],
    [
      'a bad affinity',
      { sessionAffinity: 'Cookie' },
      ['spec.sessionAffinity: Unsupported value: "Cookie": supported values: "ClientIP", "None"'],
    ],
  ];
  test.each(cases)('refuses %s', (_name, spec, expected) => {
    expect(createRefusals(serviceStrategy, service(spec))).toEqual(expected);
  });

  it('refuses a name that is no host name, even as a prefix', () => {
    expect(serviceStrategy.validateName?.('1web', false)[0]).toContain('a DNS-1035 label must consist of');
    expect(serviceStrategy.validateName?.('web-', true)).toEqual([]);
  });

  it('fills in families, both for what nobody routes', () => {
    expect(created(serviceStrategy, service({})).spec).toMatchObject({
      ipFamilies: ['IPv4'],
      ipFamilyPolicy: 'SingleStack',
    });
    const headless = created(serviceStrategy, service({ clusterIP: 'None' })).spec;
    expect(headless).toMatchObject({
      clusterIPs: ['None'],
      ipFamilies: ['IPv4', 'IPv6'],
      ipFamilyPolicy: 'RequireDualStack',
    });
    expect(created(serviceStrategy, service({ clusterIP: 'None', selector: { a: 'b' } })).spec?.ipFamilies).toEqual([
      'IPv4',
    ]);
  });
});

describe('updating a Service', () => {
  const granted = (spec: ServiceSpec): Service =>
    grantService(created(serviceStrategy, service(spec)), { clusterIP: '10.96.1.1', nodePorts: new Map([[0, 30080]]) });
  const old = granted({ type: 'NodePort' });

  it('keeps what was allocated when the client leaves it out', () => {
    const ready = serviceStrategy.prepareForUpdate(created(serviceStrategy, service({ type: 'NodePort' })), old, {
      nowMs: 0,
      now: '',
      uuid: '',
      user: { name: '', uid: '', groups: [], extra: {} },
    });
    expect(ready.spec).toMatchObject({ clusterIP: '10.96.1.1', clusterIPs: ['10.96.1.1'] });
    expect(ready.spec?.ports?.[0]?.nodePort).toBe(30080);
    expect(serviceNeeds(ready, old)).toEqual({ clusterIP: { kind: 'none' }, nodePorts: [] });
  });

  it('refuses another address, and none', () => {
    const moved = { ...old, spec: { ...old.spec, clusterIP: '10.96.9.9', clusterIPs: ['10.96.9.9'] } };
    expect(updateRefusals(serviceStrategy, old, moved)).toEqual([
      'spec.clusterIPs[0]: Invalid value: ["10.96.9.9"]: may not change once set',
    ]);
    const headless = { ...old, spec: { ...old.spec, type: 'ClusterIP', clusterIP: 'None', clusterIPs: ['None'] } };
    expect(updateRefusals(serviceStrategy, old, headless)[0]).toContain('may not change once set');
  });

  it('drops node ports and address with the type that needed them', () => {
    const clusterOnly = { ...old, spec: { ...old.spec, type: 'ClusterIP' } };
    expect(updateRefusals(serviceStrategy, old, clusterOnly)).toEqual([]);
    const { externalTrafficPolicy: _policy, internalTrafficPolicy: _internal, ...spec } = old.spec ?? {};
    const external = { ...old, spec: { ...spec, type: 'ExternalName', externalName: 'a.b' } };
    expect(updateRefusals(serviceStrategy, old, external)).toEqual([]);
  });
});

describe('what a Service needs', () => {
  const needs = (spec: ServiceSpec): ReturnType<typeof serviceNeeds> =>
    serviceNeeds(created(serviceStrategy, service(spec)), undefined);

  it.each([
    [{}, { clusterIP: { kind: 'auto' }, nodePorts: [] }],
    [{ clusterIP: 'None' }, { clusterIP: { kind: 'none' }, nodePorts: [] }],
    [{ clusterIP: '10.96.0.10' }, { clusterIP: { kind: 'fixed', address: '10.96.0.10' }, nodePorts: [] }],
    [
      { type: 'ExternalName', externalName: 'a.b' },
      { clusterIP: { kind: 'none' }, nodePorts: [] },
    ],
    [
      { type: 'NodePort' },
      { clusterIP: { kind: 'auto' }, nodePorts: [{ index: 0, protocol: 'TCP', need: { kind: 'auto' } }] },
    ],
    [
      { type: 'LoadBalancer', externalTrafficPolicy: 'Local' },
      {
        clusterIP: { kind: 'auto' },
        nodePorts: [{ index: 0, protocol: 'TCP', need: { kind: 'auto' } }],
        healthCheckNodePort: { kind: 'auto' },
      },
    ],
    [
      { type: 'LoadBalancer', allocateLoadBalancerNodePorts: false },
      { clusterIP: { kind: 'auto' }, nodePorts: [] },
    ],
  ])('%j', (spec: ServiceSpec, expected) => {
    expect(needs(spec)).toEqual(expected);
  });

  it('shares the node port of one service port between protocols', () => {
    const ports = [
      { name: 'dns', port: 53, protocol: 'UDP' },
      { name: 'dns-tcp', port: 53, protocol: 'TCP' },
    ];
    expect(needs({ type: 'NodePort', ports }).nodePorts).toEqual([
      { index: 0, protocol: 'UDP', need: { kind: 'auto' } },
      { index: 1, protocol: 'TCP', need: { kind: 'auto' }, sameAs: 0 },
    ]);
    const fixed = ports.map((port) => ({ ...port, nodePort: 30053 }));
    expect(needs({ type: 'NodePort', ports: fixed }).nodePorts.map(({ sameAs }) => sameAs)).toEqual([undefined, 0]);
  });
});

test('columns', () => {
  const balanced = service(
    {
      type: 'LoadBalancer',
      clusterIPs: ['10.96.0.1'],
      ports: [{ ...http, nodePort: 30080 }],
      selector: { b: 'c', a: 'b' },
    },
    { loadBalancer: { ingress: [{ ip: '1.2.3.4' }] } },
  );
  expect(row(serviceStrategy, balanced)).toMatchObject({
    Name: 'web',
    Type: 'LoadBalancer',
    'Cluster-IP': '10.96.0.1',
    'External-IP': '1.2.3.4',
    'Port(s)': '80:30080/TCP',
    Selector: 'a=b,b=c',
  });
  expect(row(serviceStrategy, service({ type: 'LoadBalancer' }))['External-IP']).toBe('<pending>');
  expect(row(serviceStrategy, service({ type: 'ClusterIP', ports: [] }))).toMatchObject({
    'Port(s)': '<none>',
    'External-IP': '<none>',
  });
});
