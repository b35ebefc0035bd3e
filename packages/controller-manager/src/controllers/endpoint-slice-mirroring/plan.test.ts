import type { EndpointSlice, Endpoints, Service } from '@wherry/api';
import { expect, it } from 'vitest';
import { isMirrored, planMirror } from './plan.ts';

const endpointsOf = (metadata: Endpoints['metadata'] = {}): Endpoints => ({
  metadata: { name: 'db', namespace: 'ns', uid: 'e', annotations: { note: 'x' }, ...metadata },
  subsets: [
    {
      addresses: [{ ip: '10.0.0.1' }, { ip: 'fd00::1' }],
      notReadyAddresses: [{ ip: '10.0.0.2', hostname: 'two' }],
      ports: [{ name: 'pg', port: 5432, protocol: 'TCP' }],
    },
  ],
});
const service: Service = { spec: {} };

it('makes a slice a family, once', () => {
  const plan = planMirror(endpointsOf(), []);
  expect(
    plan.create.map(({ addressType, endpoints }) => [addressType, endpoints.map(({ addresses }) => addresses[0])]),
  ).toEqual([
    ['IPv4', ['10.0.0.1', '10.0.0.2']],
    ['IPv6', ['fd00::1']],
  ]);
  expect(plan.create[0]).toMatchObject({
    metadata: {
      labels: {
        'kubernetes.io/service-name': 'db',
        'endpointslice.kubernetes.io/managed-by': 'endpointslicemirroring-controller.k8s.io',
      },
      annotations: { note: 'x' },
      ownerReferences: [{ kind: 'Endpoints', name: 'db' }],
    },
    ports: [{ name: 'pg', port: 5432, protocol: 'TCP' }],
    endpoints: [{ conditions: { ready: true } }, { conditions: { ready: false }, hostname: 'two' }],
  });
  const stored: EndpointSlice[] = plan.create.map((slice, at) => ({
    ...slice,
    metadata: { ...slice.metadata, name: `s${at}` },
  }));
  expect(planMirror(endpointsOf(), stored)).toEqual({ create: [], update: [], delete: [] });
  expect(planMirror({ ...endpointsOf(), subsets: [] }, stored).delete.length).toBe(2);
});

it.each([
  ['hand-made Endpoints', endpointsOf(), service, true],
  ['not with a selector', endpointsOf(), { spec: { selector: { a: 'b' } } }, false],
  ['not without a Service', endpointsOf(), undefined, false],
  ['not when told so', endpointsOf({ labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } }), service, false],
  [
    'not leader locks',
    endpointsOf({ annotations: { 'control-plane.alpha.kubernetes.io/leader': '{}' } }),
    service,
    false,
  ],
])('mirrors %s', (_, endpoints, of, expected) => {
  expect(isMirrored(endpoints, of)).toBe(expected);
});
