// What lets hosts join: kubeadm's objects, by kubeadm's names. The API server makes none of them by itself.
import type { ClusterRole, ClusterRoleBinding, ConfigMap, PolicyRule, Role, RoleBinding, Subject } from '@wherry/api';
import { NODE_GROUP } from '../joining/bootstrap-token.ts';
import { CLUSTER_INFO, type ClusterInfo, CONTENT_KEY, renderClusterInfo } from '../joining/cluster-info.ts';

const rbac = 'rbac.authorization.k8s.io';
const apiVersion = `${rbac}/v1`;
const certificates = 'certificates.k8s.io';
const requests = 'certificatesigningrequests';

const group = (name: string): Subject => ({ apiGroup: rbac, kind: 'Group', name });
const user = (name: string): Subject => ({ apiGroup: rbac, kind: 'User', name });
const bootstrappers = group(NODE_GROUP);
const nodes = group('system:nodes');

const role = (name: string, rules: readonly PolicyRule[]): ClusterRole => ({
  apiVersion,
  kind: 'ClusterRole',
  metadata: { name },
  rules,
});

const binding = (name: string, roleName: string, subject: Subject): ClusterRoleBinding => ({
  apiVersion,
  kind: 'ClusterRoleBinding',
  metadata: { name },
  roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: roleName },
  subjects: [subject],
});

const getNodes = 'kubeadm:get-nodes';
const selfNodeServer = 'wherry:certificatesigningrequests:selfnodeserver';

export const joiningRoles: readonly ClusterRole[] = [
  // Whoever joins looks first whether somebody has its name.
  role(getNodes, [{ apiGroups: [''], resources: ['nodes'], verbs: ['get'] }]),
  // The API server calls kubelets only under certificates that the cluster signed. Upstream has no role for it.
  role(selfNodeServer, [{ apiGroups: [certificates], resources: [`${requests}/selfnodeserver`], verbs: ['create'] }]),
];

export const joiningBindings: readonly ClusterRoleBinding[] = [
  binding('kubeadm:kubelet-bootstrap', 'system:node-bootstrapper', bootstrappers),
  binding('kubeadm:node-autoapprove-bootstrap', `system:${certificates}:${requests}:nodeclient`, bootstrappers),
  binding('kubeadm:node-autoapprove-certificate-rotation', `system:${certificates}:${requests}:selfnodeclient`, nodes),
  binding(getNodes, getNodes, bootstrappers),
  binding('wherry:node-autoapprove-serving', selfNodeServer, nodes),
  binding(
    'wherry:kubelet-serving-approver',
    `system:${certificates}:kubelet-serving-approver`,
    user('system:kube-controller-manager'),
  ),
  // A node that joined has one identity, and its proxy has no other.
  binding('wherry:node-proxier', 'system:node-proxier', nodes),
];

const infoReader = 'kubeadm:bootstrap-signer-clusterinfo';

export const infoRole: Role = {
  apiVersion,
  kind: 'Role',
  metadata: { name: infoReader, namespace: CLUSTER_INFO.namespace },
  rules: [{ apiGroups: [''], resources: ['configmaps'], resourceNames: [CLUSTER_INFO.name], verbs: ['get'] }],
};

export const infoBinding: RoleBinding = {
  apiVersion,
  kind: 'RoleBinding',
  metadata: { name: infoReader, namespace: CLUSTER_INFO.namespace },
  roleRef: { apiGroup: rbac, kind: 'Role', name: infoReader },
  subjects: [user('system:anonymous')],
};

export function clusterInfoMap(info: ClusterInfo): ConfigMap {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { ...CLUSTER_INFO },
    data: { [CONTENT_KEY]: renderClusterInfo(info) },
  };
}
