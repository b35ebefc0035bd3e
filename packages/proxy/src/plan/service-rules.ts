import type { EndpointSlice, Service, ServicePort } from '@wherry/api';
import { categorizeEndpoints, type Endpoint, endpointsOfPort } from './endpoints.ts';

export type Protocol = 'tcp' | 'udp' | 'sctp';

/** Where traffic of one door of a service goes. `drop` is upstream's answer when endpoints exist, but none the policy allows. */
export type Target =
  | { readonly kind: 'forward'; readonly endpoints: readonly Endpoint[] }
  | { readonly kind: 'reject' }
  | { readonly kind: 'drop' };

/** What one port of one Service asks of this node. A value: two equal rules need no change of the data plane. */
export interface ServiceRule {
  /** `namespace/name:port/protocol`, unique in the cluster. */
  readonly key: string;
  readonly protocol: Protocol;
  readonly port: number;
  readonly clusterIp: string;
  /** 0 = none. */
  readonly nodePort: number;
  readonly externalIps: readonly string[];
  /** ClientIP affinity timeout in seconds; 0 = no affinity. */
  readonly affinitySeconds: number;
  /** Traffic to the cluster IP. */
  readonly internal: Target;
  /** Traffic to NodePort and external IPs. */
  readonly external: Target;
  /** externalTrafficPolicy Local: the client's address is kept. */
  readonly keepsClientAddress: boolean;
  /** externalTrafficPolicy Local only: where pods and processes of this node go through the same doors. */
  readonly shortcut: Target;
}

export interface NodeView {
  readonly nodeName: string;
}

const PROXY_NAME_LABEL = 'service.kubernetes.io/service-proxy-name';
const AFFINITY_SECONDS_DEFAULT = 10_800;

/** The rules of one Service on this node, one per port, IPv4 only; empty when it has no virtual address (headless, ExternalName). */
export function planService(
  service: Service | undefined,
  slices: readonly EndpointSlice[],
  node: NodeView,
): readonly ServiceRule[] {
  const clusterIp = service === undefined ? undefined : ipv4ClusterIp(service);
  if (service === undefined || clusterIp === undefined) return [];
  const name = `${service.metadata?.namespace ?? ''}/${service.metadata?.name ?? ''}`;
  return (service.spec?.ports ?? []).map((port) => ruleOfPort(service, name, clusterIp, port, slices, node));
}

function ipv4ClusterIp(service: Service): string | undefined {
  const spec = service.spec;
  if (spec === undefined || spec.type === 'ExternalName') return undefined;
  if (service.metadata?.labels?.[PROXY_NAME_LABEL] !== undefined) return undefined;
  const addresses = spec.clusterIPs ?? (spec.clusterIP === undefined ? [] : [spec.clusterIP]);
  return addresses.find(isIpv4);
}

/** True for a dotted quad; the API server has checked the digits. */
export function isIpv4(address: string): boolean {
  return /^\d+\.\d+\.\d+\.\d+$/.test(address);
}

function ruleOfPort(
  service: Service,
  name: string,
  clusterIp: string,
  port: ServicePort,
  slices: readonly EndpointSlice[],
  node: NodeView,
): ServiceRule {
  const spec = service.spec ?? {};
  const protocol = (port.protocol ?? 'TCP').toLowerCase() as Protocol;
  const { cluster, local } = categorizeEndpoints(endpointsOfPort(slices, port, node.nodeName));
  const target = (localOnly: boolean): Target => {
    if (cluster.length === 0) return { kind: 'reject' };
    if (!localOnly) return { kind: 'forward', endpoints: cluster };
    return local.length === 0 ? { kind: 'drop' } : { kind: 'forward', endpoints: local };
  };
  const keepsClientAddress = spec.externalTrafficPolicy === 'Local';
  return {
    key: `${name}:${port.name ?? port.port}/${protocol}`,
    protocol,
    port: port.port,
    clusterIp,
    nodePort: port.nodePort ?? 0,
    externalIps: (spec.externalIPs ?? []).filter(isIpv4),
    affinitySeconds: affinitySeconds(service),
    internal: target(spec.internalTrafficPolicy === 'Local'),
    external: target(keepsClientAddress),
    keepsClientAddress,
    shortcut: target(false),
  };
}

function affinitySeconds(service: Service): number {
  if (service.spec?.sessionAffinity !== 'ClientIP') return 0;
  return service.spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? AFFINITY_SECONDS_DEFAULT;
}
