// Defaults of the smaller groups: rbac, storage, networking, discovery, scheduling, flow control, extensions.
import type {
  APIService,
  ClusterRoleBinding,
  CSIDriver,
  CustomResourceDefinition,
  EndpointSlice,
  FlowSchema,
  IngressClass,
  NetworkPolicy,
  PodCertificateRequest,
  PriorityClass,
  PriorityLevelConfiguration,
  RoleBinding,
  StorageClass,
  TokenRequest,
} from '../generated/types.ts';
import type { Draft } from './draft.ts';

const rbacGroup = 'rbac.authorization.k8s.io';

export function defaultRoleBinding(binding: Draft<RoleBinding> | Draft<ClusterRoleBinding>): void {
  if (binding.roleRef !== undefined) binding.roleRef.apiGroup ||= rbacGroup;
  for (const subject of binding.subjects ?? []) {
    if (subject.kind === 'User' || subject.kind === 'Group') subject.apiGroup ||= rbacGroup;
  }
}

export function defaultStorageClass(storage: Draft<StorageClass>): void {
  storage.reclaimPolicy ??= 'Delete';
  storage.volumeBindingMode ??= 'Immediate';
}

export function defaultCsiDriver({ spec }: Draft<CSIDriver>): void {
  if (spec === undefined) return;
  spec.attachRequired ??= true;
  spec.podInfoOnMount ??= false;
  spec.storageCapacity ??= false;
  spec.fsGroupPolicy ??= 'ReadWriteOnceWithFSType';
  if ((spec.volumeLifecycleModes?.length ?? 0) === 0) spec.volumeLifecycleModes = ['Persistent'];
  spec.requiresRepublish ??= false;
  spec.seLinuxMount ??= false;
}

export function defaultNetworkPolicy({ spec }: Draft<NetworkPolicy>): void {
  if (spec === undefined) return;
  for (const rule of [...(spec.ingress ?? []), ...(spec.egress ?? [])]) {
    for (const port of rule.ports ?? []) port.protocol ??= 'TCP';
  }
  if ((spec.policyTypes?.length ?? 0) === 0) {
    spec.policyTypes = (spec.egress?.length ?? 0) > 0 ? ['Ingress', 'Egress'] : ['Ingress'];
  }
}

export function defaultIngressClass({ spec }: Draft<IngressClass>): void {
  if (spec?.parameters !== undefined) spec.parameters.scope ??= 'Cluster';
}

export function defaultEndpointSlice(slice: Draft<EndpointSlice>): void {
  for (const port of slice.ports ?? []) {
    port.name ??= '';
    port.protocol ??= 'TCP';
  }
}

export function defaultPriorityClass(priority: Draft<PriorityClass>): void {
  priority.preemptionPolicy ??= 'PreemptLowerPriority';
}

export function defaultFlowSchema({ spec }: Draft<FlowSchema>): void {
  if (spec !== undefined) spec.matchingPrecedence ||= 1000;
}

export function defaultPriorityLevel({ spec }: Draft<PriorityLevelConfiguration>): void {
  if (spec?.exempt !== undefined) {
    spec.exempt.nominalConcurrencyShares ??= 0;
    spec.exempt.lendablePercent ??= 0;
  }
  if (spec?.limited !== undefined) {
    spec.limited.nominalConcurrencyShares ??= 30;
    spec.limited.lendablePercent ??= 0;
    const queuing = spec.limited.limitResponse?.queuing;
    if (queuing !== undefined) {
      queuing.handSize ||= 8;
      queuing.queues ||= 64;
      queuing.queueLengthLimit ||= 50;
    }
  }
}

export function defaultCustomResourceDefinition({ spec }: Draft<CustomResourceDefinition>): void {
  if (spec === undefined) return;
  spec.scope ||= 'Namespaced';
  if (spec.names !== undefined) {
    spec.names.singular ||= spec.names.kind?.toLowerCase() ?? '';
    if (spec.names.kind) spec.names.listKind ||= `${spec.names.kind}List`;
  }
  spec.conversion ??= { strategy: 'None' };
  const service = spec.conversion.webhook?.clientConfig?.service;
  if (service !== undefined) service.port ??= 443;
}

export function defaultApiService({ spec }: Draft<APIService>): void {
  if (spec?.service !== undefined) spec.service.port ??= 443;
}

export function defaultTokenRequest({ spec }: Draft<TokenRequest>): void {
  spec.expirationSeconds ??= 3600;
}

export function defaultPodCertificateRequest({ spec }: Draft<PodCertificateRequest>): void {
  spec.maxExpirationSeconds ??= 86_400;
}
