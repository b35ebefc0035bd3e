// Which strategy belongs to which kind.
import type { ApiObject } from '@wherry/api';
import * as webhooks from './admissionregistration/webhooks.ts';
import { controllerRevisionStrategy, daemonSetStrategy } from './apps/daemon-set.ts';
import { deploymentStrategy, replicaSetStrategy } from './apps/deployment.ts';
import { statefulSetStrategy } from './apps/stateful-set.ts';
import { autoscalerStrategy } from './autoscaling/strategy.ts';
import { cronJobStrategy } from './batch/cron-job.ts';
import { jobStrategy } from './batch/job.ts';
import { signingRequestStrategy } from './certificates/signing-request.ts';
import { leaseCandidateStrategy, leaseStrategy } from './coordination/lease.ts';
import { componentStatusStrategy } from './core/component-status.ts';
import { endpointsStrategy } from './core/endpoints.ts';
import { eventStrategy } from './core/event.ts';
import { limitRangeStrategy } from './core/limit-range.ts';
import { namespaceStrategy } from './core/namespace.ts';
import { nodeStrategy } from './core/node.ts';
import { persistentVolumeStrategy } from './core/persistent-volume.ts';
import { persistentVolumeClaimStrategy } from './core/persistent-volume-claim.ts';
import { podStrategy } from './core/pod/strategy.ts';
import { podTemplateStrategy, replicationControllerStrategy } from './core/replication-controller.ts';
import { resourceQuotaStrategy } from './core/resource-quota.ts';
import { serviceStrategy } from './core/service/strategy.ts';
import { serviceAccountStrategy } from './core/service-account.ts';
import { configMapStrategy, secretStrategy } from './core/stored-data.ts';
import * as devices from './devices/strategy.ts';
import { endpointSliceStrategy } from './discovery/endpoint-slice.ts';
import { apiServiceStrategy, customResourceDefinitionStrategy } from './extension/strategy.ts';
import { flowSchemaStrategy, priorityLevelStrategy } from './flowcontrol/strategy.ts';
import { ipAddressStrategy, serviceCidrStrategy } from './networking/addresses.ts';
import { ingressClassStrategy, ingressStrategy } from './networking/ingress.ts';
import { networkPolicyStrategy } from './networking/network-policy.ts';
import { runtimeClassStrategy } from './node/runtime-class.ts';
import { plainStrategy } from './plain.ts';
import { disruptionBudgetStrategy } from './policy/disruption-budget.ts';
import * as rbac from './rbac/strategy.ts';
import { priorityClassStrategy } from './scheduling/priority-class.ts';
import * as server from './server/strategy.ts';
import { csiDriverStrategy, csiNodeStrategy, csiStorageCapacityStrategy } from './storage/csi.ts';
import { storageClassStrategy, volumeAttachmentStrategy, volumeAttributesClassStrategy } from './storage/strategy.ts';
import type { Strategy, StrategyFor } from './strategy.ts';

export const strategyFor: StrategyFor = ({ group, resource }) =>
  strategies.get(keyOf(group, resource)) ?? plainStrategy;

const strategies = new Map<string, Strategy>([
  entry('', 'configmaps', configMapStrategy),
  entry('', 'componentstatuses', componentStatusStrategy),
  entry('', 'endpoints', endpointsStrategy),
  entry('', 'events', eventStrategy),
  entry('events.k8s.io', 'events', eventStrategy),
  entry('', 'limitranges', limitRangeStrategy),
  entry('', 'namespaces', namespaceStrategy),
  entry('', 'nodes', nodeStrategy),
  entry('', 'persistentvolumeclaims', persistentVolumeClaimStrategy),
  entry('', 'persistentvolumes', persistentVolumeStrategy),
  entry('', 'pods', podStrategy),
  entry('', 'podtemplates', podTemplateStrategy),
  entry('', 'replicationcontrollers', replicationControllerStrategy),
  entry('', 'resourcequotas', resourceQuotaStrategy),
  entry('', 'secrets', secretStrategy),
  entry('', 'serviceaccounts', serviceAccountStrategy),
  entry('', 'services', serviceStrategy),
  entry('admissionregistration.k8s.io', 'mutatingadmissionpolicies', webhooks.mutatingAdmissionPolicyStrategy),
  entry(
    'admissionregistration.k8s.io',
    'mutatingadmissionpolicybindings',
    webhooks.mutatingAdmissionPolicyBindingStrategy,
  ),
  entry('admissionregistration.k8s.io', 'mutatingwebhookconfigurations', webhooks.mutatingWebhookStrategy),
  entry('admissionregistration.k8s.io', 'validatingadmissionpolicies', webhooks.validatingAdmissionPolicyStrategy),
  entry(
    'admissionregistration.k8s.io',
    'validatingadmissionpolicybindings',
    webhooks.validatingAdmissionPolicyBindingStrategy,
  ),
  entry('admissionregistration.k8s.io', 'validatingwebhookconfigurations', webhooks.validatingWebhookStrategy),
  entry('apiextensions.k8s.io', 'customresourcedefinitions', customResourceDefinitionStrategy),
  entry('apiregistration.k8s.io', 'apiservices', apiServiceStrategy),
  entry('apps', 'controllerrevisions', controllerRevisionStrategy),
  entry('apps', 'daemonsets', daemonSetStrategy),
  entry('apps', 'deployments', deploymentStrategy),
  entry('apps', 'replicasets', replicaSetStrategy),
  entry('apps', 'statefulsets', statefulSetStrategy),
  entry('autoscaling', 'horizontalpodautoscalers', autoscalerStrategy),
  entry('batch', 'cronjobs', cronJobStrategy),
  entry('batch', 'jobs', jobStrategy),
  entry('certificates.k8s.io', 'certificatesigningrequests', signingRequestStrategy),
  entry('certificates.k8s.io', 'clustertrustbundles', server.clusterTrustBundleStrategy),
  entry('coordination.k8s.io', 'leasecandidates', leaseCandidateStrategy),
  entry('coordination.k8s.io', 'leases', leaseStrategy),
  entry('discovery.k8s.io', 'endpointslices', endpointSliceStrategy),
  entry('flowcontrol.apiserver.k8s.io', 'flowschemas', flowSchemaStrategy),
  entry('flowcontrol.apiserver.k8s.io', 'prioritylevelconfigurations', priorityLevelStrategy),
  entry('internal.apiserver.k8s.io', 'storageversions', server.storageVersionStrategy),
  entry('networking.k8s.io', 'ingressclasses', ingressClassStrategy),
  entry('networking.k8s.io', 'ingresses', ingressStrategy),
  entry('networking.k8s.io', 'ipaddresses', ipAddressStrategy),
  entry('networking.k8s.io', 'networkpolicies', networkPolicyStrategy),
  entry('networking.k8s.io', 'servicecidrs', serviceCidrStrategy),
  entry('node.k8s.io', 'runtimeclasses', runtimeClassStrategy),
  entry('policy', 'poddisruptionbudgets', disruptionBudgetStrategy),
  entry('rbac.authorization.k8s.io', 'clusterrolebindings', rbac.clusterRoleBindingStrategy),
  entry('rbac.authorization.k8s.io', 'clusterroles', rbac.clusterRoleStrategy),
  entry('rbac.authorization.k8s.io', 'rolebindings', rbac.roleBindingStrategy),
  entry('rbac.authorization.k8s.io', 'roles', rbac.roleStrategy),
  entry('resource.k8s.io', 'deviceclasses', devices.deviceClassStrategy),
  entry('resource.k8s.io', 'resourceclaims', devices.resourceClaimStrategy),
  entry('resource.k8s.io', 'resourceclaimtemplates', devices.resourceClaimTemplateStrategy),
  entry('resource.k8s.io', 'resourceslices', devices.resourceSliceStrategy),
  entry('scheduling.k8s.io', 'priorityclasses', priorityClassStrategy),
  entry('storage.k8s.io', 'csidrivers', csiDriverStrategy),
  entry('storage.k8s.io', 'csinodes', csiNodeStrategy),
  entry('storage.k8s.io', 'csistoragecapacities', csiStorageCapacityStrategy),
  entry('storage.k8s.io', 'storageclasses', storageClassStrategy),
  entry('storage.k8s.io', 'volumeattachments', volumeAttachmentStrategy),
  entry('storage.k8s.io', 'volumeattributesclasses', volumeAttributesClassStrategy),
  entry('storagemigration.k8s.io', 'storageversionmigrations', server.storageVersionMigrationStrategy),
]);

function keyOf(group: string, resource: string): string {
  return `${group}/${resource}`;
}

/** The registry hands each strategy only objects of its own kind, which the table's common type cannot say. */
function entry<T extends ApiObject>(group: string, resource: string, strategy: Strategy<T>): [string, Strategy] {
  return [keyOf(group, resource), strategy as unknown as Strategy];
}
