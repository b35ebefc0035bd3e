import type { EndpointSlice } from '@wherry/api';
import { describe, expect, it } from 'vitest';
import { planPublication, wantedSlice } from './endpoint-plan.ts';

const wanted = wantedSlice('kube-dns-wherry', { family: 'A', text: '172.18.0.1' }, 10_053);
const stored: EndpointSlice = { ...wanted, metadata: { ...wanted.metadata, uid: 'u', resourceVersion: '7' } };

describe('planPublication', () => {
  it.each<[string, EndpointSlice | undefined, string]>([
    ['creates what is missing', undefined, 'create'],
    ['leaves alone what is right', stored, 'none'],
    [
      'ignores labels of others',
      { ...stored, metadata: { ...stored.metadata, labels: { ...stored.metadata?.labels, team: 'a' } } },
      'none',
    ],
    [
      'corrects the address',
      { ...stored, endpoints: [{ addresses: ['172.19.0.1'], conditions: { ready: true } }] },
      'update',
    ],
    ['corrects the port', { ...stored, ports: [{ name: 'dns', port: 53, protocol: 'UDP' }] }, 'update'],
    [
      'corrects readiness',
      { ...stored, endpoints: [{ addresses: ['172.18.0.1'], conditions: { ready: false } }] },
      'update',
    ],
    ['corrects labels', { ...stored, metadata: { ...stored.metadata, labels: {} } }, 'update'],
    ['replaces another family', { ...stored, addressType: 'IPv6' }, 'replace'],
  ])('%s', (_, current, kind) => expect(planPublication(wanted, current).kind).toBe(kind));

  it('updates the version it saw and keeps labels of others', () => {
    const current = { ...stored, ports: [], metadata: { ...stored.metadata, labels: { team: 'a' } } };
    expect(planPublication(wanted, current)).toMatchObject({
      slice: {
        metadata: {
          resourceVersion: '7',
          labels: {
            team: 'a',
            'kubernetes.io/service-name': 'kube-dns',
            'endpointslice.kubernetes.io/managed-by': 'wherry-dns',
          },
        },
        ports: [
          { name: 'dns', port: 10_053, protocol: 'UDP' },
          { name: 'dns-tcp', port: 10_053, protocol: 'TCP' },
        ],
      },
    });
  });
});
