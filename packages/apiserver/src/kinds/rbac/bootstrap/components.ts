// Roles for the processes of the control plane and of the nodes.
import type { ClusterRole, ClusterRoleBinding } from '@wherry/api';
import { apps, clusterBinding, clusterRole, core, group, read, rule, urls, user, writeEvents } from './rule.ts';

const coordination = 'coordination.k8s.io';
const certificates = 'certificates.k8s.io';
const storage = 'storage.k8s.io';
const resource = 'resource.k8s.io';

const reviewTokens = rule('create', 'authentication.k8s.io', 'tokenreviews');
const reviewAccess = rule('create', 'authorization.k8s.io', 'subjectaccessreviews');

function leaderElection(name: string): ReturnType<typeof rule>[] {
  return [rule('create', coordination, 'leases'), rule('get update', coordination, 'leases', name)];
}

function approver(signer: string): ClusterRole {
  const role = `system:certificates.k8s.io:${signer.slice('kubernetes.io/'.length)}-approver`;
  return clusterRole(role, [rule('approve', certificates, 'signers', signer)]);
}

export const componentRoles: readonly ClusterRole[] = [
  // With the Node authorizer nobody is bound to this; it narrows each kubelet to what its own pods need.
  clusterRole('system:node', [
    reviewTokens,
    rule('create', 'authorization.k8s.io', 'localsubjectaccessreviews subjectaccessreviews'),
    rule(read, core, 'services'),
    rule('create get list watch', core, 'nodes'),
    rule('patch update', core, 'nodes/status'),
    rule('patch update', core, 'nodes'),
    rule('create patch update', core, 'events'),
    rule(read, core, 'pods'),
    rule('create delete', core, 'pods'),
    rule('patch update', core, 'pods/status'),
    rule('create', core, 'pods/eviction'),
    rule(read, core, 'configmaps secrets'),
    rule('get', core, 'persistentvolumeclaims persistentvolumes'),
    rule('get', core, 'endpoints'),
    rule('create get list watch', certificates, 'certificatesigningrequests'),
    rule('create delete get patch update', coordination, 'leases'),
    rule('get', storage, 'volumeattachments'),
    rule('get patch update', core, 'persistentvolumeclaims/status'),
    rule('create', core, 'serviceaccounts/token'),
    rule(read, storage, 'csidrivers'),
    rule('create delete get patch update', storage, 'csinodes'),
    rule(read, 'node.k8s.io', 'runtimeclasses'),
    rule('get', resource, 'resourceclaims'),
    rule('deletecollection', resource, 'resourceslices'),
    rule('create delete get list patch update watch', resource, 'resourceslices'),
  ]),
  clusterRole('system:node-problem-detector', [
    rule('get', core, 'nodes'),
    rule('patch', core, 'nodes/status'),
    writeEvents,
  ]),
  clusterRole('system:kubelet-api-admin', [
    rule(read, core, 'nodes'),
    rule('proxy', core, 'nodes'),
    rule('*', core, 'nodes/configz nodes/healthz nodes/log nodes/metrics nodes/pods nodes/proxy nodes/stats'),
  ]),
  clusterRole('system:node-bootstrapper', [rule('create get list watch', certificates, 'certificatesigningrequests')]),
  clusterRole('system:auth-delegator', [reviewTokens, reviewAccess]),
  clusterRole('system:kube-aggregator', [
    rule(read, core, 'endpoints services'),
    rule(read, 'discovery.k8s.io', 'endpointslices'),
  ]),
  clusterRole('system:kube-controller-manager', [
    writeEvents,
    ...leaderElection('kube-controller-manager'),
    rule('create', core, 'secrets serviceaccounts'),
    rule('delete', core, 'secrets'),
    rule('get', core, 'configmaps namespaces secrets serviceaccounts'),
    rule('update', core, 'secrets serviceaccounts'),
    reviewTokens,
    reviewAccess,
    rule('list watch', '*', '*'),
    rule('create', core, 'serviceaccounts/token'),
  ]),
  clusterRole('system:kube-dns', [rule('list watch', core, 'endpoints services')]),
  clusterRole('system:coredns', [
    rule('list watch', core, 'namespaces services'),
    rule('list watch', 'discovery.k8s.io', 'endpointslices'),
  ]),
  clusterRole('system:persistent-volume-provisioner', [
    rule('create delete get list watch', core, 'persistentvolumes'),
    rule('get list update watch', core, 'persistentvolumeclaims'),
    rule(read, storage, 'storageclasses'),
    rule('watch', core, 'events'),
    writeEvents,
  ]),
  clusterRole('system:certificates.k8s.io:certificatesigningrequests:nodeclient', [
    rule('create', certificates, 'certificatesigningrequests/nodeclient'),
  ]),
  clusterRole('system:certificates.k8s.io:certificatesigningrequests:selfnodeclient', [
    rule('create', certificates, 'certificatesigningrequests/selfnodeclient'),
  ]),
  approver('kubernetes.io/kube-apiserver-client'),
  approver('kubernetes.io/kube-apiserver-client-kubelet'),
  approver('kubernetes.io/kubelet-serving'),
  approver('kubernetes.io/legacy-unknown'),
  clusterRole('system:volume-scheduler', [
    rule('get list patch update watch', core, 'persistentvolumes'),
    rule(read, storage, 'storageclasses'),
    rule('get list patch update watch', core, 'persistentvolumeclaims'),
  ]),
  clusterRole('system:service-account-issuer-discovery', [
    urls(
      'get',
      '/.well-known/openid-configuration /.well-known/openid-configuration/ /openid/v1/jwks /openid/v1/jwks/',
    ),
  ]),
  clusterRole('system:node-proxier', [
    rule('list watch', core, 'endpoints services'),
    rule(read, core, 'nodes'),
    writeEvents,
    rule('list watch', 'discovery.k8s.io', 'endpointslices'),
    rule('list watch', 'networking.k8s.io', 'servicecidrs'),
  ]),
  clusterRole('system:kube-scheduler', [
    writeEvents,
    ...leaderElection('kube-scheduler'),
    rule(read, core, 'nodes'),
    rule('delete get list watch', core, 'pods'),
    rule('create', core, 'bindings pods/binding'),
    rule('patch update', core, 'pods/status'),
    rule(read, core, 'replicationcontrollers services'),
    rule(read, apps, 'replicasets'),
    rule(read, 'apps', 'statefulsets'),
    rule(read, 'policy', 'poddisruptionbudgets'),
    rule(read, core, 'persistentvolumeclaims persistentvolumes'),
    reviewTokens,
    reviewAccess,
    rule(read, storage, 'csinodes'),
    rule(read, core, 'namespaces'),
    rule(read, storage, 'csidrivers'),
    rule(read, storage, 'csistoragecapacities'),
    rule(read, storage, 'volumeattachments'),
    rule(read, resource, 'deviceclasses resourceclaims resourceslices'),
    rule('patch update', resource, 'resourceclaims resourceclaims/status'),
    rule('update', core, 'pods/finalizers'),
  ]),
];

const scheduler = user('system:kube-scheduler');

export const componentBindings: readonly ClusterRoleBinding[] = [
  clusterBinding('system:node-proxier', [user('system:kube-proxy')]),
  clusterBinding('system:kube-controller-manager', [user('system:kube-controller-manager')]),
  clusterBinding('system:kube-dns', [{ kind: 'ServiceAccount', name: 'kube-dns', namespace: 'kube-system' }]),
  clusterBinding('system:kube-scheduler', [scheduler]),
  clusterBinding('system:volume-scheduler', [scheduler]),
  clusterBinding('system:service-account-issuer-discovery', [group('system:serviceaccounts')]),
  clusterBinding('system:node', []),
  // kubeadm's add-ons make these two; here the server does, for the identities that `up` gives out.
  clusterBinding('system:coredns', [user('system:coredns')]),
  clusterBinding(
    'system:kubelet-api-admin',
    [user('kube-apiserver-kubelet-client')],
    'wherry:apiserver-kubelet-client',
  ),
];

/** Only for servers that run without the Node authorizer: there kubelets have no other source of rights. */
export const nodesBinding = clusterBinding('system:node', [group('system:nodes')], 'wherry:nodes');
