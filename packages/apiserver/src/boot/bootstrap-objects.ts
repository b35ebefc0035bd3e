import type { ApiObject, Namespace, Service } from '@wherry/api';

/** The namespaces that every cluster has from its first second. */
export const systemNamespaces: readonly Namespace[] = ['default', 'kube-system', 'kube-public', 'kube-node-lease'].map(
  (name) => ({ kind: 'Namespace', apiVersion: 'v1', metadata: { name } }),
);

/** The Service by which pods reach the API. Its endpoints are the API servers themselves. */
export function kubernetesService(clusterIP: string, port: number): Service {
  return {
    kind: 'Service',
    apiVersion: 'v1',
    metadata: {
      name: 'kubernetes',
      namespace: 'default',
      labels: { component: 'apiserver', provider: 'kubernetes' },
    },
    spec: {
      type: 'ClusterIP',
      clusterIP,
      clusterIPs: [clusterIP],
      sessionAffinity: 'None',
      ports: [{ name: 'https', protocol: 'TCP', port: 443, targetPort: port }],
    },
  };
}

export function serviceCidr(cidr: string): ApiObject {
  return {
    kind: 'ServiceCIDR',
    apiVersion: 'networking.k8s.io/v1',
    metadata: { name: 'kubernetes' },
    spec: { cidrs: [cidr] },
  } as ApiObject;
}

/** Tells servers that extend this one whose client certificates to trust. */
export function extensionAuthentication(clientAuthority: string): ApiObject {
  return {
    kind: 'ConfigMap',
    apiVersion: 'v1',
    metadata: { name: 'extension-apiserver-authentication', namespace: 'kube-system' },
    data: { 'client-ca-file': clientAuthority },
  } as ApiObject;
}
