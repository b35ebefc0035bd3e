// `resourceFieldRef`: a container's requests and limits as numbers, rounded up in units of the divisor.
import { type Container, milliValue, type Pod, quantityToNumber, type ResourceFieldSelector } from '@wherry/api';

/** What the node can give; stands in for a limit that is not set. */
export interface NodeAllocatable {
  readonly cpuMillis: number;
  readonly memoryBytes: number;
  readonly ephemeralStorageBytes: number;
}

function divide(value: number, divisor: number): string {
  return String(Math.ceil(value / divisor));
}

function defaultDivisor(divisor: string | undefined): string {
  return divisor === undefined || divisor === '' || divisor === '0' ? '1' : divisor;
}

function nodeAmount(resource: string, node: NodeAllocatable): number {
  if (resource === 'cpu') return node.cpuMillis;
  return resource === 'memory' ? node.memoryBytes : node.ephemeralStorageBytes;
}

/** The value as decimal text; undefined if the container or the resource name is unknown. */
export function resourceField(
  pod: Pod,
  selector: ResourceFieldSelector,
  ownContainer: string,
  node: NodeAllocatable,
): string | undefined {
  const name = selector.containerName ?? ownContainer;
  const all: readonly Container[] = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])];
  const container = all.find((one) => one.name === name);
  const cut = selector.resource.indexOf('.');
  const list = selector.resource.slice(0, cut);
  const resource = selector.resource.slice(cut + 1);
  if (container === undefined || (list !== 'limits' && list !== 'requests')) return undefined;
  const given = container.resources?.[list]?.[resource];
  const divisor = defaultDivisor(selector.divisor);
  if (resource === 'cpu') {
    const millis = given !== undefined ? Number(milliValue(given)) : list === 'limits' ? nodeAmount(resource, node) : 0;
    return divide(millis, Number(milliValue(divisor)));
  }
  if (resource !== 'memory' && resource !== 'ephemeral-storage' && !resource.startsWith('hugepages-')) return undefined;
  const fallback = list === 'limits' && !resource.startsWith('hugepages-') ? nodeAmount(resource, node) : 0;
  return divide(given !== undefined ? quantityToNumber(given) : fallback, quantityToNumber(divisor));
}
