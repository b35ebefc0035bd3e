// What a pod asks of its node.
import type { Container, Pod, PodSpec } from '../generated/types.ts';
import { milliValue, quantityValue } from '../quantity/quantity.ts';

/** Amount by resource name: `cpu` in millicores, everything else in whole units (bytes for memory). */
export type ResourceAmounts = Readonly<Record<string, number>>;

interface Options {
  /** What a container that requests nothing of a resource counts as. @default nothing */
  readonly missing?: ResourceAmounts;
}

type Amounts = Record<string, number>;

/** Resources that a pod may request as a whole (KEP-2837). */
const podLevel = (name: string): boolean => name === 'cpu' || name === 'memory' || name.startsWith('hugepages-');

/**
 * The larger of what runs for good and what any init container needs beside the sidecars started before it, plus
 * overhead; requests of the pod as a whole take the place of the sum (KEP-753, KEP-2837).
 */
export function podRequests(pod: Pod, options: Options = {}): ResourceAmounts {
  return podTotal(pod.spec, 'requests', options.missing ?? {});
}

/** The same for limits; a resource that some container does not limit counts with what the others do. */
export function podLimits(pod: Pod): ResourceAmounts {
  return podTotal(pod.spec, 'limits', {});
}

function podTotal(spec: PodSpec | undefined, which: 'requests' | 'limits', missing: ResourceAmounts): ResourceAmounts {
  const total: Amounts = {};
  for (const container of spec?.containers ?? []) add(total, containerAmounts(container, which, missing));
  const sidecars: Amounts = {};
  const peak: Amounts = {};
  for (const container of spec?.initContainers ?? []) {
    const own = containerAmounts(container, which, missing);
    if (container.restartPolicy === 'Always') {
      add(sidecars, own);
      raise(peak, sidecars);
    } else {
      const beside = { ...sidecars };
      add(beside, own);
      raise(peak, beside);
    }
  }
  add(total, sidecars);
  raise(total, peak);
  for (const [name, amount] of Object.entries(amounts(spec?.resources?.[which]))) {
    if (podLevel(name)) total[name] = amount;
  }
  const overhead = amounts(spec?.overhead);
  for (const [name, amount] of Object.entries(overhead)) {
    // Overhead raises a limit only where there is one.
    if (which === 'requests' || total[name] !== undefined) total[name] = (total[name] ?? 0) + amount;
  }
  return total;
}

function containerAmounts(
  container: Container,
  which: 'requests' | 'limits',
  missing: ResourceAmounts,
): ResourceAmounts {
  return { ...missing, ...amounts(container.resources?.[which]) };
}

/** @throws QuantityFormatError */
export function amounts(quantities: Readonly<Record<string, string>> | undefined): ResourceAmounts {
  const result: Amounts = {};
  for (const name in quantities) result[name] = resourceAmount(name, quantities[name] ?? '0');
  return result;
}

/** @throws QuantityFormatError */
export function resourceAmount(name: string, quantity: string): number {
  return name === 'cpu' ? milliValue(quantity) : quantityValue(quantity);
}

function add(total: Amounts, more: ResourceAmounts): void {
  for (const name in more) total[name] = (total[name] ?? 0) + (more[name] ?? 0);
}

function raise(total: Amounts, atLeast: ResourceAmounts): void {
  for (const name in atLeast) total[name] = Math.max(total[name] ?? 0, atLeast[name] ?? 0);
}
