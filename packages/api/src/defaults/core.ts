// Defaults of the core group's other kinds.
import type {
  Endpoints,
  LimitRange,
  Namespace,
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  PodTemplate,
  ReplicationController,
  ResourceQuota,
  Secret,
  Service,
  ServiceSpec,
} from '../generated/types.ts';
import type { Draft } from './draft.ts';
import { defaultTemplate } from './pod.ts';
import { fillResources, roundResources } from './resource-list.ts';
import { defaultClaimSpec, defaultPersistentVolumeSpec } from './volumes.ts';

export function defaultService(service: Draft<Service>): void {
  service.spec ??= {};
  const spec = service.spec;
  spec.sessionAffinity ||= 'None';
  if (spec.sessionAffinity === 'None') delete spec.sessionAffinityConfig;
  if (spec.sessionAffinity === 'ClientIP' && spec.sessionAffinityConfig?.clientIP?.timeoutSeconds === undefined) {
    spec.sessionAffinityConfig = { clientIP: { timeoutSeconds: 10_800 } };
  }
  spec.type ||= 'ClusterIP';
  for (const port of spec.ports ?? []) {
    port.protocol ||= 'TCP';
    port.targetPort ||= port.port;
  }
  if (isExternallyAccessible(spec)) spec.externalTrafficPolicy ||= 'Cluster';
  if (spec.type !== 'ExternalName') spec.internalTrafficPolicy ??= 'Cluster';
  if (spec.type === 'LoadBalancer') {
    spec.allocateLoadBalancerNodePorts ??= true;
    for (const ingress of service.status?.loadBalancer?.ingress ?? []) {
      if (ingress.ip !== undefined && ingress.ip !== '') ingress.ipMode ??= 'VIP';
    }
  }
}

function isExternallyAccessible(spec: Draft<ServiceSpec>): boolean {
  if (spec.type === 'LoadBalancer' || spec.type === 'NodePort') return true;
  return spec.type === 'ClusterIP' && (spec.externalIPs?.length ?? 0) > 0;
}

export function defaultReplicationController(controller: Draft<ReplicationController>): void {
  controller.spec ??= {};
  const { spec } = controller;
  spec.replicas ??= 1;
  const labels = spec.template?.metadata?.labels;
  if (labels !== undefined) {
    if (Object.keys(spec.selector ?? {}).length === 0) spec.selector = { ...labels };
    controller.metadata ??= {};
    if (Object.keys(controller.metadata.labels ?? {}).length === 0) controller.metadata.labels = { ...labels };
  }
  defaultTemplate(spec.template);
}

export function defaultPodTemplate(template: Draft<PodTemplate>): void {
  defaultTemplate(template.template);
}

export function defaultSecret(secret: Draft<Secret>): void {
  secret.type ||= 'Opaque';
}

export function defaultPersistentVolume(volume: Draft<PersistentVolume>): void {
  volume.status ??= {};
  volume.status.phase ||= 'Pending';
  volume.spec ??= {};
  defaultPersistentVolumeSpec(volume.spec);
}

export function defaultPersistentVolumeClaim(claim: Draft<PersistentVolumeClaim>): void {
  claim.status ??= {};
  claim.status.phase ||= 'Pending';
  claim.spec ??= {};
  defaultClaimSpec(claim.spec);
  roundResources(claim.status.capacity);
  roundResources(claim.status.allocatedResources);
}

export function defaultEndpoints(endpoints: Draft<Endpoints>): void {
  for (const subset of endpoints.subsets ?? []) {
    for (const port of subset.ports ?? []) port.protocol ||= 'TCP';
  }
}

/** The label can only be set once the name is known: with `generateName` the API server repeats this. */
export function defaultNamespace(namespace: Draft<Namespace>): void {
  const name = namespace.metadata?.name;
  if (namespace.metadata !== undefined && name !== undefined && name !== '') {
    namespace.metadata.labels ??= {};
    namespace.metadata.labels['kubernetes.io/metadata.name'] = name;
  }
  namespace.status ??= {};
  namespace.status.phase ||= 'Active';
}

export function defaultNode(node: Draft<Node>): void {
  roundResources(node.status?.capacity);
  roundResources(node.status?.allocatable);
  if (node.status?.capacity !== undefined) node.status.allocatable ??= { ...node.status.capacity };
}

export function defaultLimitRange(range: Draft<LimitRange>): void {
  for (const item of range.spec?.limits ?? []) {
    for (const list of [item.default, item.defaultRequest, item.max, item.maxLimitRequestRatio, item.min]) {
      roundResources(list);
    }
    if (item.type !== 'Container') continue;
    item.default ??= {};
    item.defaultRequest ??= {};
    fillResources(item.default, item.max);
    fillResources(item.defaultRequest, item.default);
    fillResources(item.defaultRequest, item.min);
    if (Object.keys(item.default).length === 0) delete item.default;
    if (Object.keys(item.defaultRequest).length === 0) delete item.defaultRequest;
  }
}

export function defaultResourceQuota(quota: Draft<ResourceQuota>): void {
  roundResources(quota.spec?.hard);
  roundResources(quota.status?.hard);
  roundResources(quota.status?.used);
}
