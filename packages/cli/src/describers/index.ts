import { describeBinding, describeRole } from './access.ts';
import {
  describeConfigMap,
  describeEndpointSlice,
  describeNamespace,
  describeSecret,
  describeService,
  describeServiceAccount,
} from './cluster.ts';
import type { Describer } from './describer.ts';
import { describeLimitRange, describeQuota } from './limits.ts';
import { describeEndpoints, describeIngress } from './network.ts';
import { describeNode } from './node.ts';
import { describePod } from './pod.ts';
import { describeAutoscaler, describeDisruptionBudget, describePriorityClass } from './policies.ts';
import { describeClaim, describeVolume } from './storage.ts';
import {
  describeCronJob,
  describeDaemonSet,
  describeDeployment,
  describeJob,
  describeReplicaSet,
  describeStatefulSet,
} from './workloads.ts';

/** By plural and group; all others are described by their fields. */
export const describers: Readonly<Record<string, Describer>> = {
  pods: describePod as Describer,
  nodes: describeNode as Describer,
  services: describeService as Describer,
  configmaps: describeConfigMap as Describer,
  secrets: describeSecret as Describer,
  namespaces: describeNamespace as Describer,
  serviceaccounts: describeServiceAccount as Describer,
  resourcequotas: describeQuota as Describer,
  limitranges: describeLimitRange as Describer,
  endpoints: describeEndpoints as Describer,
  persistentvolumes: describeVolume as Describer,
  persistentvolumeclaims: describeClaim as Describer,
  'ingresses.networking.k8s.io': describeIngress as Describer,
  'poddisruptionbudgets.policy': describeDisruptionBudget as Describer,
  'horizontalpodautoscalers.autoscaling': describeAutoscaler as Describer,
  'priorityclasses.scheduling.k8s.io': describePriorityClass as Describer,
  'endpointslices.discovery.k8s.io': describeEndpointSlice as Describer,
  'deployments.apps': describeDeployment as Describer,
  'replicasets.apps': describeReplicaSet as Describer,
  'daemonsets.apps': describeDaemonSet as Describer,
  'statefulsets.apps': describeStatefulSet as Describer,
  'jobs.batch': describeJob as Describer,
  'cronjobs.batch': describeCronJob as Describer,
  'roles.rbac.authorization.k8s.io': describeRole as Describer,
  'clusterroles.rbac.authorization.k8s.io': describeRole as Describer,
  'rolebindings.rbac.authorization.k8s.io': describeBinding as Describer,
  'clusterrolebindings.rbac.authorization.k8s.io': describeBinding as Describer,
};

/** Kinds whose descriptions end without events, as kubectl's do. */
export const withoutEvents: ReadonlySet<string> = new Set([
  'secrets',
  'namespaces',
  'resourcequotas',
  'limitranges',
  'roles.rbac.authorization.k8s.io',
  'clusterroles.rbac.authorization.k8s.io',
  'rolebindings.rbac.authorization.k8s.io',
  'clusterrolebindings.rbac.authorization.k8s.io',
]);
