import { resources, type Service, type ServicePort } from '@wherry/api';
import type { ApiClient } from '@wherry/client';

/** Endpoints of a port that are listed one by one. */
const ENDPOINTS_SHOWN_MAX = 3;

/** The ready addresses behind a service's port: the first of them, and how many more. */
export async function endpointsText(client: ApiClient, { metadata }: Service, port: ServicePort): Promise<string> {
  const { items } = await client.list(resources.endpointslices, {
    namespace: metadata?.namespace ?? '',
    labelSelector: `kubernetes.io/service-name=${metadata?.name}`,
  });
  const all = items.flatMap((slice) => {
    const target = (slice.ports ?? []).find(({ name }) => (name ?? '') === (port.name ?? ''))?.port;
    if (target === undefined) return [];
    const ready = (slice.endpoints ?? []).filter(({ conditions }) => conditions?.ready !== false);
    return ready.flatMap(({ addresses }) => addresses.map((address) => `${address}:${target}`));
  });
  const more = all.length - ENDPOINTS_SHOWN_MAX;
  return all.slice(0, ENDPOINTS_SHOWN_MAX).join(',') + (more > 0 ? ` + ${more} more...` : '');
}
