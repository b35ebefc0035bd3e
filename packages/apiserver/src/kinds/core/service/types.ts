// What the type of a Service makes it need.
import type { Service, ServiceSpec } from '@wherry/api';

export function specOf(service: Service): ServiceSpec {
  return service.spec ?? {};
}

export function isHeadless(spec: ServiceSpec): boolean {
  return spec.clusterIPs?.length === 1 ? spec.clusterIPs[0] === 'None' : spec.clusterIP === 'None';
}

/** 'None' counts as an address: it is a choice that has to be kept. */
export function needsClusterIp(spec: ServiceSpec): boolean {
  return spec.type === 'ClusterIP' || spec.type === 'NodePort' || spec.type === 'LoadBalancer';
}

export function needsNodePort(spec: ServiceSpec): boolean {
  if (spec.type === 'LoadBalancer') return spec.allocateLoadBalancerNodePorts !== false;
  return spec.type === 'NodePort';
}

/** Load balancers ask each node whether it has endpoints of its own. */
export function needsHealthCheckPort(spec: ServiceSpec): boolean {
  return spec.type === 'LoadBalancer' && spec.externalTrafficPolicy === 'Local';
}

export function isExternallyAccessible(spec: ServiceSpec): boolean {
  if (spec.type === 'LoadBalancer' || spec.type === 'NodePort') return true;
  return spec.type === 'ClusterIP' && (spec.externalIPs ?? []).length > 0;
}
