import type { EndpointSlice, Node, Pod, Service } from '@wherry/api';
import { describe, expect, it } from 'vitest';
import type { SlicePlan } from './packing.ts';
import { planSlices } from './plan.ts';

const serviceOf = (spec: Service['spec'] = {}): Service => ({
  metadata: {
    name: 'web',
    namespace: 'ns',
    uid: 's',
    labels: { team: 'a' },
    creationTimestamp: '2025-01-01T00:00:00Z',
  },
  spec: {
    clusterIP: '10.96.0.5',
    ipFamilies: ['IPv4'],
    selector: { app: 'web' },
    ports: [{ name: 'http', port: 80, targetPort: 8080, protocol: 'TCP' }],
    ...spec,
  },
});

interface Shape {
  readonly ip?: string;
  readonly ready?: boolean;
  readonly deleting?: boolean;
  readonly phase?: string;
  readonly node?: string;
  readonly port?: number;
}

const podOf = (name: string, shape: Shape = {}): Pod => ({
  metadata: {
    name,
    namespace: 'ns',
    uid: `u-${name}`,
    ...(shape.deleting && { deletionTimestamp: '2025-01-01T00:00:09Z' }),
  },
  spec: {
    nodeName: shape.node ?? 'n1',
    containers: [{ name: 'c', ports: [{ name: 'web', containerPort: shape.port ?? 8080, protocol: 'TCP' }] }],
  },
  status: {
    phase: shape.phase ?? 'Running',
    ...(shape.ip !== '' && { podIPs: [{ ip: shape.ip ?? '10.244.1.2' }] }),
    conditions: [
      { type: 'Ready', status: shape.ready === false ? 'False' : 'True', lastTransitionTime: '2025-01-01T00:00:05Z' },
    ],
  },
});

const node: Node = { metadata: { name: 'n1', labels: { 'topology.kubernetes.io/zone': 'z1' } } };
const plan = (service: Service, pods: readonly Pod[], slices: readonly EndpointSlice[] = []): SlicePlan =>
  planSlices({ service, pods, slices, nodeOf: (name) => (name === 'n1' ? node : undefined) });
/** What was planned, as it comes back from the server. */
const stored = (result: SlicePlan): EndpointSlice[] =>
  [...result.create, ...result.update].map((slice, index) => ({
    ...slice,
    metadata: { ...slice.metadata, name: slice.metadata?.name ?? `web-${index}`, uid: `slice-${index}` },
  }));
const counts = (result: SlicePlan) => [result.create.length, result.update.length, result.delete.length];

describe('planSlices', () => {
  it('creates a slice with everything consumers read', () => {
    const [slice] = plan(serviceOf(), [podOf('a')]).create;
    expect(slice).toMatchObject({
      metadata: {
        generateName: 'web-',
        labels: {
          team: 'a',
          'kubernetes.io/service-name': 'web',
          'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
        },
        annotations: { 'endpoints.kubernetes.io/last-change-trigger-time': '2025-01-01T00:00:00Z' },
        ownerReferences: [{ kind: 'Service', name: 'web', uid: 's', controller: true }],
      },
      addressType: 'IPv4',
      ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
      endpoints: [
        {
          addresses: ['10.244.1.2'],
          conditions: { ready: true, serving: true, terminating: false },
          nodeName: 'n1',
          zone: 'z1',
          targetRef: { kind: 'Pod', namespace: 'ns', name: 'a', uid: 'u-a' },
        },
      ],
    });
  });

  const conditions: readonly (readonly [string, Shape, Service['spec'], readonly boolean[]])[] = [
    ['not ready', { ready: false }, {}, [false, false, false]],
    ['terminating but serving', { deleting: true }, {}, [false, true, true]],
    ['published although not ready', { ready: false }, { publishNotReadyAddresses: true }, [true, false, false]],
    ['published although terminating', { deleting: true }, { publishNotReadyAddresses: true }, [true, true, true]],
  ];
  it.each(conditions)('%s', (_, shape, spec, [ready, serving, terminating]) => {
    const [slice] = plan(serviceOf(spec), [podOf('a', shape)]).create;
    expect(slice?.endpoints[0]?.conditions).toEqual({ ready, serving, terminating });
  });

  it.each([
    ['ended', { phase: 'Failed' }],
    ['without an address', { ip: '' }],
    ['of the other family', { ip: 'fd00::1' }],
    ['on a node that is gone', { node: 'n9' }],
  ])('leaves out pods %s, and keeps a slice without endpoints', (_, shape) => {
    const result = plan(serviceOf(), [podOf('a', shape)]);
    expect(result.create.map((slice) => slice.endpoints)).toEqual([[]]);
    expect(counts(plan(serviceOf(), [podOf('a', shape)], stored(result)))).toEqual([0, 0, 0]);
  });

  it('writes nothing when nothing changed', () => {
    const first = stored(plan(serviceOf(), [podOf('a')]));
    expect(counts(plan(serviceOf(), [podOf('a')], first))).toEqual([0, 0, 0]);
  });

  it('updates a slice when a pod becomes ready, and says since when', () => {
    const first = stored(plan(serviceOf(), [podOf('a', { ready: false })]));
    const result = plan(serviceOf(), [podOf('a')], first);
    expect(counts(result)).toEqual([0, 1, 0]);
    expect(result.update[0]?.metadata?.annotations?.['endpoints.kubernetes.io/last-change-trigger-time']).toBe(
      '2025-01-01T00:00:05Z',
    );
  });

  it('keeps the last slice as a placeholder when all pods are gone', () => {
    const first = stored(plan(serviceOf(), [podOf('a')]));
    const result = plan(serviceOf(), [], first);
    expect(counts(result)).toEqual([0, 1, 0]);
    expect(result.update[0]?.endpoints).toEqual([]);
  });

  it('groups pods by what a named port means to them', () => {
    const service = serviceOf({ ports: [{ name: 'http', port: 80, targetPort: 'web' }] });
    const result = plan(service, [podOf('a'), podOf('b', { ip: '10.244.1.3', port: 9090 })]);
    expect(result.create.map((slice) => slice.ports?.[0]?.port)).toEqual([8080, 9090]);
  });

  it('a headless Service needs no ports', () => {
    const [slice] = plan(serviceOf({ clusterIP: 'None', ports: [] }), [podOf('a')]).create;
    expect(slice).toMatchObject({ ports: [], metadata: { labels: { 'service.kubernetes.io/headless': '' } } });
    expect(slice?.endpoints.length).toBe(1);
  });

  const many = (count: number) =>
    Array.from({ length: count }, (_, at) => podOf(`p${at}`, { ip: `10.244.${at >> 8}.${at & 255}` }));
  it('puts at most 100 endpoints into a slice and moves as few as possible', () => {
    const first = plan(serviceOf(), many(250));
    expect(first.create.map((slice) => slice.endpoints.length)).toEqual([100, 100, 50]);
    const fewer = plan(serviceOf(), many(250).slice(1), stored(first));
    expect(counts(fewer)).toEqual([0, 1, 0]);
    expect(fewer.update[0]?.endpoints.length).toBe(99);
    const more = plan(serviceOf(), many(251), stored(first));
    expect(more.update.map((slice) => slice.endpoints.length)).toEqual([51]);
  });

  it('deletes slices of another owner', () => {
    const first = stored(plan(serviceOf(), [podOf('a')]));
    const reborn = { ...serviceOf(), metadata: { ...serviceOf().metadata, uid: 's2' } };
    expect(counts(plan(reborn, [podOf('a')], first))).toEqual([1, 0, 1]);
  });

  it('hints zones when traffic should stay close', () => {
    const [slice] = plan(serviceOf({ trafficDistribution: 'PreferClose' }), [podOf('a')]).create;
    expect(slice?.endpoints[0]?.hints).toEqual({ forZones: [{ name: 'z1' }] });
  });
});
