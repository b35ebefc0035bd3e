// What a Service asks of the cluster-wide allocators, and the Service with what they gave it.
import type { ServiceSpec } from '@wherry/api';
import { isHeadless, needsClusterIp, needsHealthCheckPort, needsNodePort, specOf } from './core/service/types.ts';
import type { ClusterIpNeed, GrantService, NodePortNeed, PortNeed, ServiceNeedsOf } from './strategy.ts';

export const serviceNeeds: ServiceNeedsOf = (next, old) => {
  const spec = specOf(next);
  const before = old === undefined ? undefined : specOf(old);
  const healthCheckNodePort = healthCheckNeed(spec, before);
  return {
    clusterIP: clusterIpNeed(spec, before),
    nodePorts: nodePortNeeds(spec, before),
    ...(healthCheckNodePort === undefined ? {} : { healthCheckNodePort }),
  };
};

export const grantService: GrantService = (next, grants) => {
  const { clusterIP, healthCheckNodePort, nodePorts } = grants;
  return {
    ...next,
    spec: {
      ...next.spec,
      ...(clusterIP === undefined ? {} : { clusterIP, clusterIPs: [clusterIP] }),
      ...(nodePorts.size === 0
        ? {}
        : {
            ports: (next.spec?.ports ?? []).map((port, index) => {
              const nodePort = nodePorts.get(index);
              return nodePort === undefined ? port : { ...port, nodePort };
            }),
          }),
      ...(healthCheckNodePort === undefined ? {} : { healthCheckNodePort }),
    },
  };
};

function clusterIpNeed(spec: ServiceSpec, before: ServiceSpec | undefined): ClusterIpNeed {
  if (!needsClusterIp(spec) || isHeadless(spec)) return { kind: 'none' };
  const address = spec.clusterIP ?? '';
  if (address === '') return { kind: 'auto' };
  const isKept = before !== undefined && needsClusterIp(before) && before.clusterIP === address;
  return isKept ? { kind: 'none' } : { kind: 'fixed', address };
}

function nodePortNeeds(spec: ServiceSpec, before: ServiceSpec | undefined): readonly NodePortNeed[] {
  if (!needsNodePort(spec)) return [];
  // A number the Service holds already may move between its own ports freely.
  const held = new Set((before?.ports ?? []).flatMap((port) => (port.nodePort ? [port.nodePort] : [])));
  const needs: NodePortNeed[] = [];
  const firstOf = new Map<string, number>();
  for (const [index, port] of (spec.ports ?? []).entries()) {
    const nodePort = port.nodePort ?? 0;
    if (nodePort !== 0 && held.has(nodePort)) continue;
    const need: PortNeed = nodePort === 0 ? { kind: 'auto' } : { kind: 'fixed', port: nodePort };
    // Another protocol of the same service port shares its node port; so does an equal number that was asked for.
    const key = nodePort === 0 ? `port ${port.port}` : `number ${nodePort}`;
    const first = firstOf.get(key);
    if (first === undefined) firstOf.set(key, index);
    needs.push({
      index,
      protocol: port.protocol ?? 'TCP',
      need,
      ...(first === undefined ? {} : { sameAs: first }),
    });
  }
  return needs;
}

function healthCheckNeed(spec: ServiceSpec, before: ServiceSpec | undefined): PortNeed | undefined {
  if (!needsHealthCheckPort(spec)) return undefined;
  const port = spec.healthCheckNodePort ?? 0;
  if (port === 0) return { kind: 'auto' };
  const isKept = before !== undefined && needsHealthCheckPort(before) && before.healthCheckNodePort === port;
  return isKept ? undefined : { kind: 'fixed', port };
}
