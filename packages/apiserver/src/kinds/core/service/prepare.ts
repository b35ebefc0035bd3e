// What a Service keeps, loses and is given when it is written, before anything is allocated.
import type { Service, ServicePort, ServiceSpec } from '@wherry/api';
import { sameValue } from '../../equality.ts';
import {
  isExternallyAccessible,
  isHeadless,
  needsClusterIp,
  needsHealthCheckPort,
  needsNodePort,
  specOf,
} from './types.ts';

export function prepareNewService(service: Service): Service {
  return { ...service, spec: withFamilies(withSharedNodePorts(withBothAddressFields(specOf(service), undefined))) };
}

export function prepareServiceUpdate(next: Service, old: Service): Service {
  const before = specOf(old);
  let spec = withBothAddressFields(specOf(next), before);
  spec = withAllocated(spec, before);
  spec = withoutOtherTypesFields(spec, before);
  return { ...next, spec: withFamilies(withSharedNodePorts(spec)) };
}

/** clusterIP is the first of clusterIPs: whichever of them the client changed decides. */
function withBothAddressFields(spec: ServiceSpec, before: ServiceSpec | undefined): ServiceSpec {
  if (before === undefined) {
    return spec.clusterIP && (spec.clusterIPs ?? []).length === 0 ? { ...spec, clusterIPs: [spec.clusterIP] } : spec;
  }
  const { clusterIP, clusterIPs, ...rest } = spec;
  const sameOne = (clusterIP ?? '') === (before.clusterIP ?? '');
  const sameAll = sameValue(clusterIPs, before.clusterIPs);
  if (sameOne === sameAll) return spec;
  if (sameAll) return clusterIP ? { ...rest, clusterIP, clusterIPs: [clusterIP] } : rest;
  const first = clusterIPs?.[0];
  return clusterIPs === undefined || first === undefined ? rest : { ...rest, clusterIP: first, clusterIPs };
}

/** What was allocated once stays, when the client left it out: that is how `kubectl replace` works. */
function withAllocated(spec: ServiceSpec, before: ServiceSpec): ServiceSpec {
  let next = spec;
  if (needsClusterIp(before) && needsClusterIp(spec) && !spec.clusterIP && before.clusterIP) {
    const clusterIPs = before.clusterIPs ?? [before.clusterIP];
    next = { ...next, clusterIP: before.clusterIP, clusterIPs };
  }
  if (needsNodePort(before) && needsNodePort(spec)) next = withNodePortsOf(next, before);
  if (needsHealthCheckPort(before) && needsHealthCheckPort(spec) && !spec.healthCheckNodePort) {
    const port = before.healthCheckNodePort;
    if (port !== undefined) next = { ...next, healthCheckNodePort: port };
  }
  return next;
}

function withNodePortsOf(spec: ServiceSpec, before: ServiceSpec): ServiceSpec {
  const ports = spec.ports ?? [];
  if (ports.every((port) => port.nodePort)) return spec;
  const known = new Map((before.ports ?? []).map((port) => [portKey(port), port.nodePort]));
  const used = new Set(ports.flatMap((port) => (port.nodePort ? [port.nodePort] : [])));
  return {
    ...spec,
    ports: ports.map((port) => {
      const nodePort = known.get(portKey(port));
      if (port.nodePort || !nodePort || used.has(nodePort)) return port;
      return { ...port, nodePort };
    }),
  };
}

/** Fields that only make sense for the old type go, unless the client has set them anew: then it hears about it. */
function withoutOtherTypesFields(spec: ServiceSpec, before: ServiceSpec): ServiceSpec {
  const drop = new Set<keyof ServiceSpec>();
  const dropSame = (...fields: (keyof ServiceSpec)[]): void => {
    for (const field of fields) if (sameValue(spec[field], before[field])) drop.add(field);
  };
  if (needsClusterIp(before) && !needsClusterIp(spec)) {
    dropSame('clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy');
  }
  if (needsHealthCheckPort(before) && !needsHealthCheckPort(spec)) dropSame('healthCheckNodePort');
  if (before.type === 'LoadBalancer' && spec.type !== 'LoadBalancer') {
    dropSame('allocateLoadBalancerNodePorts', 'loadBalancerClass');
  }
  if (isExternallyAccessible(before) && !isExternallyAccessible(spec)) dropSame('externalTrafficPolicy');
  const entries = Object.entries(spec).filter(([field]) => !drop.has(field as keyof ServiceSpec));
  const kept = drop.size === 0 ? spec : (Object.fromEntries(entries) as ServiceSpec);
  if (!needsNodePort(before) || needsNodePort(spec) || !sameNodePorts(spec, before)) return kept;
  return { ...kept, ports: (kept.ports ?? []).map(({ nodePort: _nodePort, ...port }) => port) };
}

/** One service port over TCP and UDP gets one node port, as DNS needs it. */
function withSharedNodePorts(spec: ServiceSpec): ServiceSpec {
  const ports = spec.ports ?? [];
  if (!needsNodePort(spec) || ports.length < 2) return spec;
  const sharedWith = (port: ServicePort): number | undefined =>
    ports.find((other) => other.nodePort && other.port === port.port && other.protocol !== port.protocol)?.nodePort;
  if (ports.every((port) => port.nodePort || sharedWith(port) === undefined)) return spec;
  return {
    ...spec,
    ports: ports.map((port) => {
      const nodePort = port.nodePort ? undefined : sharedWith(port);
      return nodePort === undefined ? port : { ...port, nodePort };
    }),
  };
}

/** The cluster is IPv4; only Services that nobody routes (headless, no selector) may claim both families. */
function withFamilies(spec: ServiceSpec): ServiceSpec {
  if (!needsClusterIp(spec)) return spec;
  const isUnmanaged = isHeadless(spec) && Object.keys(spec.selector ?? {}).length === 0;
  let ipFamilies = spec.ipFamilies ?? [];
  if (ipFamilies.length === 0) ipFamilies = [addressFamily(spec)];
  if (isUnmanaged && ipFamilies.length < 2 && spec.ipFamilyPolicy !== 'SingleStack') {
    ipFamilies = [...ipFamilies, ipFamilies[0] === 'IPv4' ? 'IPv6' : 'IPv4'];
  }
  const ipFamilyPolicy = spec.ipFamilyPolicy ?? (ipFamilies.length > 1 ? 'RequireDualStack' : 'SingleStack');
  return { ...spec, ipFamilies, ipFamilyPolicy };
}

function addressFamily(spec: ServiceSpec): string {
  return spec.clusterIP?.includes(':') === true ? 'IPv6' : 'IPv4';
}

function sameNodePorts(left: ServiceSpec, right: ServiceSpec): boolean {
  const numbers = (spec: ServiceSpec): number[] => (spec.ports ?? []).map((port) => port.nodePort ?? 0).sort();
  return sameValue(numbers(left), numbers(right));
}

function portKey(port: ServicePort): string {
  return `${port.protocol ?? 'TCP'}/${port.port}`;
}
