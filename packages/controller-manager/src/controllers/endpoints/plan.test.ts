import type { Pod, Service } from '@wherry/api';
import { expect, it } from 'vitest';
import { planEndpoints } from './plan.ts';

const service: Service = {
  metadata: { name: 'web', namespace: 'ns', labels: { team: 'a' }, creationTimestamp: '2025-01-01T00:00:00Z' },
  spec: { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 8080, protocol: 'TCP' }] },
};
const podOf = (name: string, ip: string, ready = true, deleting = false): Pod => ({
  metadata: { name, namespace: 'ns', uid: name, ...(deleting && { deletionTimestamp: '2025-01-01T00:00:00Z' }) },
  spec: { nodeName: 'n1', containers: [{ name: 'c' }] },
  status: { phase: 'Running', podIP: ip, conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
});

it('sorts addresses by readiness and leaves terminating pods out', () => {
  const pods = [
    podOf('b', '10.0.0.2'),
    podOf('a', '10.0.0.1'),
    podOf('c', '10.0.0.3', false),
    podOf('d', '10.0.0.4', true, true),
  ];
  const endpoints = planEndpoints({ service, pods, existing: undefined });
  const subset = endpoints?.subsets?.[0];
  expect(subset?.addresses?.map(({ ip }) => ip)).toEqual(['10.0.0.1', '10.0.0.2']);
  expect(subset?.notReadyAddresses?.map(({ ip }) => ip)).toEqual(['10.0.0.3']);
  expect(subset?.ports).toEqual([{ port: 8080, protocol: 'TCP' }]);
  expect(planEndpoints({ service, pods, existing: endpoints })).toBeUndefined();
});

it('has no subsets without pods', () => {
  expect(planEndpoints({ service, pods: [], existing: undefined })?.subsets).toEqual([]);
});

it('holds 1000 addresses, ready ones first', () => {
  const pods = Array.from({ length: 1100 }, (_, at) => podOf(`p${at}`, `10.1.${at >> 8}.${at & 255}`, at >= 200));
  const endpoints = planEndpoints({ service, pods, existing: undefined });
  expect(endpoints?.subsets?.[0]?.addresses?.length).toBe(900);
  expect(endpoints?.subsets?.[0]?.notReadyAddresses?.length).toBe(100);
  expect(endpoints?.metadata?.annotations?.['endpoints.kubernetes.io/over-capacity']).toBe('truncated');
});
