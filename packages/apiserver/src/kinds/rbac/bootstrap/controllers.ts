// One role per controller, so that each can run with an account of its own (--use-service-account-credentials).
import type { ClusterRole, ClusterRoleBinding, PolicyRule } from '@wherry/api';
import { apps, clusterBinding, clusterRole, core, read, rule, serviceAccount, user, writeEvents } from './rule.ts';

const batch = 'batch';
const certificates = 'certificates.k8s.io';
const discovery = 'discovery.k8s.io';
const networking = 'networking.k8s.io';
const policy = 'policy';
const resource = 'resource.k8s.io';
const storage = 'storage.k8s.io';

/** Controllers that make pods for an owner of theirs need the same of them. */
const managePods = rule('create delete list patch watch', core, 'pods');

const rulesByController: Readonly<Record<string, readonly PolicyRule[]>> = {
  'attachdetach-controller': [
    rule('list watch', core, 'persistentvolumeclaims persistentvolumes'),
    rule(read, core, 'nodes'),
    rule('patch update', core, 'nodes/status'),
    rule('list watch', core, 'pods'),
    writeEvents,
    rule('create delete get list watch', storage, 'volumeattachments'),
    rule(read, storage, 'csidrivers'),
    rule(read, storage, 'csinodes'),
  ],
  'clusterrole-aggregation-controller': [
    rule('escalate get list patch update watch', 'rbac.authorization.k8s.io', 'clusterroles'),
  ],
  'cronjob-controller': [
    rule('get list update watch', batch, 'cronjobs'),
    rule('create delete get list patch update watch', batch, 'jobs'),
    rule('update', batch, 'cronjobs/status'),
    rule('update', batch, 'cronjobs/finalizers'),
    rule('delete list', core, 'pods'),
    writeEvents,
  ],
  'daemon-set-controller': [
    rule(read, apps, 'daemonsets'),
    rule('update', apps, 'daemonsets/status'),
    rule('update', apps, 'daemonsets/finalizers'),
    rule('list watch', core, 'nodes'),
    managePods,
    rule('create', core, 'pods/binding'),
    rule('create delete get list patch update watch', 'apps', 'controllerrevisions'),
    writeEvents,
  ],
  'deployment-controller': [
    rule('get list update watch', apps, 'deployments'),
    rule('update', apps, 'deployments/status'),
    rule('update', apps, 'deployments/finalizers'),
    rule('create delete get list patch update watch', apps, 'replicasets'),
    rule('get list update watch', core, 'pods'),
    writeEvents,
  ],
  'disruption-controller': [
    rule(read, apps, 'deployments'),
    rule(read, apps, 'replicasets'),
    rule(read, core, 'replicationcontrollers'),
    rule(read, policy, 'poddisruptionbudgets'),
    rule(read, 'apps', 'statefulsets'),
    rule('update', policy, 'poddisruptionbudgets/status'),
    rule('patch update', core, 'pods/status'),
    rule('get', '*', '*/scale'),
    writeEvents,
  ],
  'endpoint-controller': [
    rule(read, core, 'pods services'),
    rule('create delete get list update', core, 'endpoints'),
    rule('create', core, 'endpoints/restricted'),
    writeEvents,
  ],
  'endpointslice-controller': [
    rule(read, core, 'nodes pods services'),
    rule('update', core, 'services/finalizers'),
    rule('create delete get list update', discovery, 'endpointslices'),
    rule('create', discovery, 'endpointslices/restricted'),
    writeEvents,
  ],
  'endpointslicemirroring-controller': [
    rule(read, core, 'endpoints services'),
    rule('update', core, 'services/finalizers'),
    rule('update', core, 'endpoints/finalizers'),
    rule('create delete get list update', discovery, 'endpointslices'),
    rule('create', discovery, 'endpointslices/restricted'),
    writeEvents,
  ],
  'expand-controller': [
    rule('get list patch update watch', core, 'persistentvolumes'),
    rule('patch update', core, 'persistentvolumeclaims/status'),
    rule(read, core, 'persistentvolumeclaims'),
    rule(read, storage, 'storageclasses'),
    rule('get', core, 'endpoints services'),
    rule('get', core, 'secrets'),
    writeEvents,
  ],
  'ephemeral-volume-controller': [
    rule(read, core, 'pods'),
    rule('update', core, 'pods/finalizers'),
    rule('create get list watch', core, 'persistentvolumeclaims'),
    writeEvents,
  ],
  'resource-claim-controller': [
    rule(read, core, 'pods'),
    rule('update', core, 'pods/finalizers'),
    rule('create delete get list watch', resource, 'resourceclaims'),
    rule('patch update', resource, 'resourceclaims resourceclaims/status'),
    rule('patch update', core, 'pods/status'),
    writeEvents,
  ],
  'generic-garbage-collector': [rule('delete get list patch update watch', '*', '*'), writeEvents],
  'horizontal-pod-autoscaler': [
    rule(read, 'autoscaling', 'horizontalpodautoscalers'),
    rule('update', 'autoscaling', 'horizontalpodautoscalers/status'),
    rule('get update', '*', '*/scale'),
    rule('list', core, 'pods'),
    rule('list', 'metrics.k8s.io', 'pods'),
    rule('get list', 'custom.metrics.k8s.io', '*'),
    rule('get list', 'external.metrics.k8s.io', '*'),
    writeEvents,
  ],
  'job-controller': [
    rule('get list patch update watch', batch, 'jobs'),
    rule('update', batch, 'jobs/status'),
    rule('update', batch, 'jobs/finalizers'),
    managePods,
    writeEvents,
  ],
  'namespace-controller': [
    rule('delete get list watch', core, 'namespaces'),
    rule('update', core, 'namespaces/finalize namespaces/status'),
    rule('delete deletecollection get list', '*', '*'),
  ],
  'node-controller': [
    rule('delete get list patch update', core, 'nodes'),
    rule('patch update', core, 'nodes/status'),
    rule('patch update', core, 'pods/status'),
    rule('delete get list', core, 'pods'),
    writeEvents,
  ],
  'persistent-volume-binder': [
    rule('create delete get list update watch', core, 'persistentvolumes'),
    rule('update', core, 'persistentvolumes/status'),
    rule('get list update watch', core, 'persistentvolumeclaims'),
    rule('update', core, 'persistentvolumeclaims/status'),
    rule('create delete get list watch', core, 'pods'),
    rule(read, storage, 'storageclasses'),
    rule('create delete get update', core, 'endpoints'),
    rule('create delete get', core, 'services'),
    rule('get', core, 'secrets'),
    rule('get list', core, 'nodes'),
    rule('watch', core, 'events'),
    writeEvents,
  ],
  'pod-garbage-collector': [
    rule('delete list watch', core, 'pods'),
    rule('get list', core, 'nodes'),
    rule('patch', core, 'pods/status'),
  ],
  'replicaset-controller': [
    rule('get list update watch', apps, 'replicasets'),
    rule('update', apps, 'replicasets/status'),
    rule('update', apps, 'replicasets/finalizers'),
    managePods,
    writeEvents,
  ],
  'replication-controller': [
    rule('get list update watch', core, 'replicationcontrollers'),
    rule('update', core, 'replicationcontrollers/status'),
    rule('update', core, 'replicationcontrollers/finalizers'),
    managePods,
    writeEvents,
  ],
  'resourcequota-controller': [
    rule('list watch', '*', '*'),
    rule('update', core, 'resourcequotas/status'),
    writeEvents,
  ],
  'route-controller': [rule('list watch', core, 'nodes'), rule('patch', core, 'nodes/status'), writeEvents],
  'selinux-warning-controller': [rule(read, core, 'persistentvolumeclaims persistentvolumes pods'), writeEvents],
  'service-account-controller': [rule('create', core, 'serviceaccounts'), writeEvents],
  'service-controller': [
    rule(read, core, 'services'),
    rule('patch update', core, 'services/status'),
    rule('list watch', core, 'nodes'),
    writeEvents,
  ],
  'service-cidrs-controller': [
    rule('get list patch update watch', networking, 'servicecidrs'),
    rule('patch update', networking, 'servicecidrs/finalizers'),
    rule('patch update', networking, 'servicecidrs/status'),
    rule(read, networking, 'ipaddresses'),
    writeEvents,
  ],
  'statefulset-controller': [
    rule('list watch', core, 'pods'),
    rule(read, 'apps', 'statefulsets'),
    rule('update', 'apps', 'statefulsets/status'),
    rule('update', 'apps', 'statefulsets/finalizers'),
    rule('create delete get patch update', core, 'pods'),
    rule('create delete get list patch update watch', 'apps', 'controllerrevisions'),
    rule('create get', core, 'persistentvolumeclaims'),
    writeEvents,
    rule('delete update', core, 'persistentvolumeclaims'),
  ],
  'ttl-controller': [rule('list patch update watch', core, 'nodes'), writeEvents],
  'certificate-controller': [
    rule('delete get list watch', certificates, 'certificatesigningrequests'),
    rule('update', certificates, 'certificatesigningrequests/approval certificatesigningrequests/status'),
    rule('approve', certificates, 'signers', 'kubernetes.io/kube-apiserver-client-kubelet'),
    rule(
      'sign',
      certificates,
      'signers',
      'kubernetes.io/kube-apiserver-client kubernetes.io/kube-apiserver-client-kubelet kubernetes.io/kubelet-serving kubernetes.io/legacy-unknown',
    ),
    rule('create', 'authorization.k8s.io', 'subjectaccessreviews'),
    writeEvents,
  ],
  'pvc-protection-controller': [
    rule('get list update watch', core, 'persistentvolumeclaims'),
    rule(read, core, 'pods'),
    writeEvents,
  ],
  'pv-protection-controller': [rule('get list update watch', core, 'persistentvolumes'), writeEvents],
  'volumeattributesclass-protection-controller': [
    rule(read, core, 'persistentvolumeclaims'),
    rule(read, core, 'persistentvolumes'),
    rule('get list update watch', storage, 'volumeattributesclasses'),
    writeEvents,
  ],
  'ttl-after-finished-controller': [rule('delete get list watch', batch, 'jobs'), writeEvents],
  'root-ca-cert-publisher': [rule('create update', core, 'configmaps'), writeEvents],
  'validatingadmissionpolicy-status-controller': [
    rule(read, 'admissionregistration.k8s.io', 'validatingadmissionpolicies'),
    rule('get patch update', 'admissionregistration.k8s.io', 'validatingadmissionpolicies/status'),
    writeEvents,
  ],
  'legacy-service-account-token-cleaner': [
    rule('get', core, 'configmaps', 'kube-apiserver-legacy-service-account-token-tracking'),
    rule('delete patch', core, 'secrets'),
  ],
};

const controllers = Object.keys(rulesByController);

export const controllerRoles: readonly ClusterRole[] = controllers.map((name) =>
  clusterRole(`system:controller:${name}`, rulesByController[name] ?? []),
);

export const controllerBindings: readonly ClusterRoleBinding[] = controllers.map((name) =>
  clusterBinding(`system:controller:${name}`, [serviceAccount('kube-system', name)]),
);

/**
 * Unless told otherwise all our controllers run under the controller manager's own name. Upstream's role for that
 * name cannot do their work, so the name is bound to each of theirs as well: visible, and removable one by one.
 */
export const sharedIdentityBindings: readonly ClusterRoleBinding[] = [
  ...controllers.map((name) =>
    clusterBinding(
      `system:controller:${name}`,
      [user('system:kube-controller-manager')],
      `wherry:kube-controller-manager:${name}`,
    ),
  ),
  // Ours approves what kubelets serve with, where upstream leaves that to people.
  clusterBinding(
    'system:certificates.k8s.io:kubelet-serving-approver',
    [user('system:kube-controller-manager')],
    'wherry:kube-controller-manager:kubelet-serving-approver',
  ),
];
