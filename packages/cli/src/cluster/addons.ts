import {
  type ApiObject,
  type ClusterRole,
  type ClusterRoleBinding,
  isNotFound,
  type Resource,
  resources,
  type Service,
} from '@wherry/api';
import type { ApiClient } from '@wherry/client';
import type { ClusterInfo } from '../joining/cluster-info.ts';
import { dnsIp } from './config.ts';
import { clusterInfoMap, infoBinding, infoRole, joiningBindings, joiningRoles } from './joining-addons.ts';

/**
 * The Service that pods ask for names. It has no selector: the DNS daemon is no pod, and enters its own address into
 * the Service's endpoints.
 */
const kubeDns: Service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: {
    name: 'kube-dns',
    namespace: 'kube-system',
    labels: { 'k8s-app': 'kube-dns', 'kubernetes.io/cluster-service': 'true', 'kubernetes.io/name': 'CoreDNS' },
  },
  spec: {
    clusterIP: dnsIp,
    ports: [
      { name: 'dns', port: 53, protocol: 'UDP', targetPort: 53 },
      { name: 'dns-tcp', port: 53, protocol: 'TCP', targetPort: 53 },
    ],
  },
};

const podNetwork = 'wherry:pod-network';

/**
 * What a network add-on brings on upstream: its agent, here the kubelet, routes to the other nodes' pods and so must
 * see all nodes. The Node authorizer alone lets a kubelet see only its own.
 */
const podNetworkRole: ClusterRole = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRole',
  metadata: { name: podNetwork },
  rules: [{ apiGroups: [''], resources: ['nodes'], verbs: ['get', 'list', 'watch'] }],
};
const podNetworkBinding: ClusterRoleBinding = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRoleBinding',
  metadata: { name: podNetwork },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: podNetwork },
  subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: 'system:nodes' }],
};

/**
 * Creates what every cluster has beyond what its API server makes by itself. Existing objects are left as they are, but
 * for what hosts that join are told: that follows the server's address and authority.
 */
export async function ensureAddons(client: ApiClient, info: ClusterInfo, signal: AbortSignal): Promise<void> {
  const roles = [podNetworkRole, ...joiningRoles];
  const bindings = [podNetworkBinding, ...joiningBindings];
  await Promise.all([
    ensure(client, resources.services, kubeDns, signal),
    ...roles.map((role) => ensure(client, resources.clusterroles, role, signal)),
    ...bindings.map((binding) => ensure(client, resources.clusterrolebindings, binding, signal)),
    ensure(client, resources.roles, infoRole, signal),
    ensure(client, resources.rolebindings, infoBinding, signal),
    publishInfo(client, info, signal),
  ]);
}

async function publishInfo(client: ApiClient, info: ClusterInfo, signal: AbortSignal): Promise<void> {
  const wanted = clusterInfoMap(info);
  const { name = '', namespace = '' } = wanted.metadata ?? {};
  const found = await ensure(client, resources.configmaps, wanted, signal);
  const same = Object.entries(wanted.data ?? {}).every(([key, value]) => found.data?.[key] === value);
  if (!same) await client.patch(resources.configmaps, name, { data: wanted.data }, { namespace, signal });
}

/** Looks first: creating a Service whose address is taken, by itself, is refused for the address. */
async function ensure<T extends ApiObject>(
  client: ApiClient,
  resource: Resource<T>,
  object: T,
  signal: AbortSignal,
): Promise<T> {
  const { namespace, name = '' } = object.metadata ?? {};
  const scope = namespace === undefined ? { signal } : { namespace, signal };
  try {
    return await client.get(resource, name, scope);
  } catch (error) {
    if (!isNotFound(error)) throw error;
    return client.create(resource, object, scope);
  }
}
