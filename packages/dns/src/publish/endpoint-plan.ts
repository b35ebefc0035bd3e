import type { EndpointSlice } from '@wherry/api';
import { SERVICE_NAME_LABEL } from '../zone/cluster-view.ts';
import type { Address } from '../zone/names.ts';

/** The Service pods ask; whoever sets up the cluster creates it. */
export const DNS_NAMESPACE = 'kube-system';
const DNS_SERVICE = 'kube-dns';
const MANAGED_BY_LABEL = 'endpointslice.kubernetes.io/managed-by';
const MANAGER = 'wherry-dns';

export type PublishPlan =
  | { readonly kind: 'none' }
  | { readonly kind: 'create'; readonly slice: EndpointSlice; readonly why: string }
  | { readonly kind: 'update'; readonly slice: EndpointSlice; readonly why: string }
  /** An address family cannot be changed: the slice goes and comes back. */
  | { readonly kind: 'replace'; readonly current: EndpointSlice; readonly why: string };

/** The endpoint that brings the Service's traffic to this server; port names are those of kubeadm's Service. */
export function wantedSlice(name: string, address: Address, port: number): EndpointSlice {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name,
      namespace: DNS_NAMESPACE,
      labels: { [SERVICE_NAME_LABEL]: DNS_SERVICE, [MANAGED_BY_LABEL]: MANAGER },
    },
    addressType: address.family === 'A' ? 'IPv4' : 'IPv6',
    endpoints: [{ addresses: [address.text], conditions: { ready: true, serving: true, terminating: false } }],
    ports: [
      { name: 'dns', port, protocol: 'UDP' },
      { name: 'dns-tcp', port, protocol: 'TCP' },
    ],
  };
}

export function planPublication(wanted: EndpointSlice, current: EndpointSlice | undefined): PublishPlan {
  if (current === undefined) return { kind: 'create', slice: wanted, why: 'the endpoint of this server is missing' };
  if (current.addressType !== wanted.addressType) {
    return {
      kind: 'replace',
      current,
      why: `the endpoint is of family ${current.addressType}, not ${wanted.addressType}`,
    };
  }
  if (essence(current) === essence(wanted)) return { kind: 'none' };
  const { resourceVersion, uid } = current.metadata ?? {};
  const metadata = {
    ...wanted.metadata,
    labels: { ...current.metadata?.labels, ...wanted.metadata?.labels },
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
    ...(uid === undefined ? {} : { uid }),
  };
  return { kind: 'update', slice: { ...wanted, metadata }, why: 'the endpoint leads elsewhere than to this server' };
}

function essence({ metadata, endpoints = [], ports = [] }: EndpointSlice): string {
  return JSON.stringify([
    metadata?.labels?.[SERVICE_NAME_LABEL],
    metadata?.labels?.[MANAGED_BY_LABEL],
    endpoints.map(({ addresses, conditions }) => [addresses, conditions?.ready, conditions?.serving ?? true]),
    ports.map(({ name, port, protocol }) => [name, port, protocol]),
  ]);
}
