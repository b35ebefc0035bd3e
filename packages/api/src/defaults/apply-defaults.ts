// Which function defaults which kind.
import type { ApiObject } from '../meta/resource.ts';
import * as admission from './admission.ts';
import * as core from './core.ts';
import * as devices from './devices.ts';
import type { Draft } from './draft.ts';
import * as groups from './groups.ts';
import { defaultPod } from './pod.ts';
import * as workloads from './workloads.ts';

type Defaulter = (object: Draft<ApiObject>) => void;

/** The table below pairs each kind with the function for its type; one cast here instead of one per line. */
function of<T extends ApiObject>(defaulter: (object: Draft<T>) => void): Defaulter {
  return defaulter as unknown as Defaulter;
}

const defaulters: Readonly<Record<string, Defaulter>> = {
  '/v1/Endpoints': of(core.defaultEndpoints),
  '/v1/LimitRange': of(core.defaultLimitRange),
  '/v1/Namespace': of(core.defaultNamespace),
  '/v1/Node': of(core.defaultNode),
  '/v1/PersistentVolume': of(core.defaultPersistentVolume),
  '/v1/PersistentVolumeClaim': of(core.defaultPersistentVolumeClaim),
  '/v1/Pod': of(defaultPod),
  '/v1/PodTemplate': of(core.defaultPodTemplate),
  '/v1/ReplicationController': of(core.defaultReplicationController),
  '/v1/ResourceQuota': of(core.defaultResourceQuota),
  '/v1/Secret': of(core.defaultSecret),
  '/v1/Service': of(core.defaultService),
  'admissionregistration.k8s.io/v1/MutatingWebhookConfiguration': of(admission.defaultMutatingWebhooks),
  'admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy': of(admission.defaultAdmissionPolicy),
  'admissionregistration.k8s.io/v1/ValidatingAdmissionPolicyBinding': of(admission.defaultAdmissionPolicyBinding),
  'admissionregistration.k8s.io/v1/ValidatingWebhookConfiguration': of(admission.defaultValidatingWebhooks),
  'admissionregistration.k8s.io/v1alpha1/MutatingAdmissionPolicy': of(admission.defaultAdmissionPolicy),
  'admissionregistration.k8s.io/v1alpha1/MutatingAdmissionPolicyBinding': of(admission.defaultAdmissionPolicyBinding),
  'admissionregistration.k8s.io/v1beta1/MutatingAdmissionPolicy': of(admission.defaultAdmissionPolicy),
  'admissionregistration.k8s.io/v1beta1/MutatingAdmissionPolicyBinding': of(admission.defaultAdmissionPolicyBinding),
  'apiextensions.k8s.io/v1/CustomResourceDefinition': of(groups.defaultCustomResourceDefinition),
  'apiregistration.k8s.io/v1/APIService': of(groups.defaultApiService),
  'apps/v1/DaemonSet': of(workloads.defaultDaemonSet),
  'apps/v1/Deployment': of(workloads.defaultDeployment),
  'apps/v1/ReplicaSet': of(workloads.defaultReplicaSet),
  'apps/v1/StatefulSet': of(workloads.defaultStatefulSet),
  'authentication.k8s.io/v1/TokenRequest': of(groups.defaultTokenRequest),
  'autoscaling/v1/HorizontalPodAutoscaler': of(workloads.defaultAutoscalerV1),
  'autoscaling/v2/HorizontalPodAutoscaler': of(workloads.defaultAutoscaler),
  'batch/v1/CronJob': of(workloads.defaultCronJob),
  'batch/v1/Job': of(workloads.defaultJob),
  'certificates.k8s.io/v1alpha1/PodCertificateRequest': of(groups.defaultPodCertificateRequest),
  'discovery.k8s.io/v1/EndpointSlice': of(groups.defaultEndpointSlice),
  'flowcontrol.apiserver.k8s.io/v1/FlowSchema': of(groups.defaultFlowSchema),
  'flowcontrol.apiserver.k8s.io/v1/PriorityLevelConfiguration': of(groups.defaultPriorityLevel),
  'networking.k8s.io/v1/IngressClass': of(groups.defaultIngressClass),
  'networking.k8s.io/v1/NetworkPolicy': of(groups.defaultNetworkPolicy),
  'rbac.authorization.k8s.io/v1/ClusterRoleBinding': of(groups.defaultRoleBinding),
  'rbac.authorization.k8s.io/v1/RoleBinding': of(groups.defaultRoleBinding),
  'resource.k8s.io/v1/ResourceClaim': of(devices.defaultResourceClaim),
  'resource.k8s.io/v1/ResourceClaimTemplate': of(devices.defaultResourceClaimTemplate),
  'resource.k8s.io/v1beta1/ResourceClaim': of(devices.defaultResourceClaim),
  'resource.k8s.io/v1beta1/ResourceClaimTemplate': of(devices.defaultResourceClaimTemplate),
  'resource.k8s.io/v1beta2/ResourceClaim': of(devices.defaultResourceClaim),
  'resource.k8s.io/v1beta2/ResourceClaimTemplate': of(devices.defaultResourceClaimTemplate),
  'scheduling.k8s.io/v1/PriorityClass': of(groups.defaultPriorityClass),
  'storage.k8s.io/v1/CSIDriver': of(groups.defaultCsiDriver),
  'storage.k8s.io/v1/StorageClass': of(groups.defaultStorageClass),
};

/**
 * Sets what upstream's `SetDefaults_*` functions set for the kind; kinds without defaults stay as they are. Changes the
 * object in place, for speed: it must be private to the caller and come from `decodeObject`, never from a cache.
 * @returns the same object
 */
export function applyDefaults<T extends ApiObject>(group: string, version: string, kind: string, object: T): T {
  defaulters[`${group}/${version}/${kind}`]?.(object as Draft<ApiObject>);
  return object;
}
