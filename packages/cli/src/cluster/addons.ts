import { resources, type Service, StatusError } from '@wherry/api';
import type { ApiClient } from '@wherry/client';
import { dnsIp } from './config.ts';

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

/** Creates what every cluster has beyond what its API server makes by itself. Existing objects are left as they are. */
export async function ensureAddons(client: ApiClient, signal: AbortSignal): Promise<void> {
  try {
    await client.create(resources.services, kubeDns, { namespace: 'kube-system', signal });
  } catch (error) {
    if (!(error instanceof StatusError && error.reason === 'AlreadyExists')) throw error;
  }
}
