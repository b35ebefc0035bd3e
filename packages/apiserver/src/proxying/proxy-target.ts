import {
  badRequest,
  type EndpointSlice,
  notFound,
  type Pod,
  resources,
  type Service,
  serviceUnavailable,
} from '@wherry/api';
import type { ResourceRequest } from '../registry/context.ts';

export interface ProxyTarget {
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
}

/** Where `pods/<scheme:name:port>/proxy` and `services/<scheme:name:port>/proxy` lead. */
export async function proxyTarget(from: ResourceRequest): Promise<ProxyTarget> {
  const { scheme, name, port } = splitName(from.info.name);
  const { reader } = from.registry;
  const { namespace } = from.info;
  if (from.info.resource === 'pods') {
    const pod = await reader.readFresh(resources.pods, namespace, name);
    if (pod === undefined) {
      throw notFound(resources.pods, name);
    }
    return podTarget(pod, port, scheme);
  }
  const service = await reader.readFresh(resources.services, namespace, name);
  if (service === undefined) {
    throw notFound(resources.services, name);
  }
  const slices: EndpointSlice[] = [];
  for (const slice of reader.all(resources.endpointslices, namespace)) {
    if (slice.metadata?.labels?.['kubernetes.io/service-name'] === name) {
      slices.push(slice);
    }
  }
  return serviceTarget(service, slices, port, scheme, (max) => from.registry.random.integer(max));
}

function splitName(text: string): { scheme: string; name: string; port: string } {
  const parts = text.split(':');
  if (parts.length === 3) {
    return { scheme: parts[0] ?? '', name: parts[1] ?? '', port: parts[2] ?? '' };
  }
  return { scheme: '', name: parts[0] ?? '', port: parts[1] ?? '' };
}

function podTarget(pod: Pod, port: string, scheme: string): ProxyTarget {
  const host = pod.status?.podIP ?? '';
  if (host === '') {
    throw badRequest('address not allowed');
  }
  const named = pod.spec?.containers
    .flatMap(({ ports = [] }) => ports)
    .find(({ name }) => name === port && port !== '');
  const first = pod.spec?.containers.flatMap(({ ports = [] }) => ports)[0];
  const number = named?.containerPort ?? (port === '' ? (first?.containerPort ?? 80) : Number(port));
  if (!Number.isInteger(number)) {
    throw badRequest(`no port ${JSON.stringify(port)} found on pod`);
  }
  return { host, port: number, secure: scheme === 'https' };
}

function serviceTarget(
  service: Service,
  slices: readonly EndpointSlice[],
  port: string,
  scheme: string,
  randomInteger: (maxExclusive: number) => number,
): ProxyTarget {
  const ports = service.spec?.ports ?? [];
  const wanted = port === '' ? ports[0] : ports.find((item) => item.name === port || String(item.port) === port);
  if (wanted === undefined) {
    throw serviceUnavailable(
      `no service port ${JSON.stringify(port)} found for service ${JSON.stringify(service.metadata?.name ?? '')}`,
    );
  }
  const candidates: ProxyTarget[] = [];
  for (const slice of slices) {
    const number = slice.ports?.find((item) => (item.name ?? '') === (wanted.name ?? ''))?.port;
    for (const endpoint of number === undefined ? [] : (slice.endpoints ?? [])) {
      const host = endpoint.addresses[0];
      if (host !== undefined && number !== undefined && endpoint.conditions?.ready !== false) {
        candidates.push({ host, port: number, secure: scheme === 'https' });
      }
    }
  }
  const chosen = candidates.length === 0 ? undefined : candidates[randomInteger(candidates.length)];
  if (chosen === undefined) {
    throw serviceUnavailable(`no endpoints available for service ${JSON.stringify(service.metadata?.name ?? '')}`);
  }
  return chosen;
}
