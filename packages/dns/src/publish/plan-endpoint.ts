import type { EndpointSlice } from '@wherry/api';

export interface OwnEndpoint {
  readonly address: string;
  readonly port: number;
  readonly isReady: boolean;
}

export const DNS_NAMESPACE = 'kube-system';
export const DNS_SERVICE = 'kube-dns';
const MANAGED_BY = 'dns.wherry.io';

export type EndpointPlan =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'create' | 'update'; readonly slice: EndpointSlice; readonly why: string };

/** One slice for each server, so that several never write the same object. */
export function ownSliceName(address: string): string {
  return `${DNS_SERVICE}-${address.replaceAll(/[.:]/g, '-')}`;
}

/** What to write so that the Service kube-dns, which has no selector, leads to us. */
export function planEndpoint(existing: EndpointSlice | undefined, own: OwnEndpoint): EndpointPlan {
  const wanted = {
    addressType: own.address.includes(':') ? 'IPv6' : 'IPv4',
    ports: [
      { name: 'dns', port: own.port, protocol: 'UDP' },
      { name: 'dns-tcp', port: own.port, protocol: 'TCP' },
    ],
    endpoints: [
      { addresses: [own.address], conditions: { ready: own.isReady, serving: own.isReady, terminating: false } },
    ],
  };
  const labels = { 'kubernetes.io/service-name': DNS_SERVICE, 'endpointslice.kubernetes.io/managed-by': MANAGED_BY };
  if (existing === undefined) {
    const metadata = { name: ownSliceName(own.address), namespace: DNS_NAMESPACE, labels };
    return { kind: 'create', slice: { metadata, ...wanted }, why: `${own.address} is not published` };
  }
  const differs =
    JSON.stringify(facts(existing)) !== JSON.stringify(facts(wanted)) ||
    Object.entries(labels).some(([key, value]) => existing.metadata?.labels?.[key] !== value);
  if (!differs) return { kind: 'nothing' };
  const metadata = { ...existing.metadata, labels: { ...existing.metadata?.labels, ...labels } };
  return { kind: 'update', slice: { metadata, ...wanted }, why: `what is published of ${own.address} is out of date` };
}

function facts({ addressType, ports = [], endpoints }: EndpointSlice): unknown {
  return [
    addressType,
    ports.map(({ name, port, protocol }) => [name, port, protocol]),
    endpoints.map(({ addresses, conditions }) => [addresses, conditions?.ready]),
  ];
}
