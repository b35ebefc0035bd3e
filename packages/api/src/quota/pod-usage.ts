// What a pod takes of a quota.
import type { Pod, ResourceRequirements } from '../generated/types.ts';
import { podLimits, podRequests, type ResourceAmounts } from '../pods/requests.ts';
import { parseQuantity, type Quantity, type QuantityFormat } from '../quantity/quantity.ts';
import { oneItem } from './amounts.ts';

const countName = 'count/pods';
const limited = ['cpu', 'memory', 'ephemeral-storage'] as const;
const named: ReadonlySet<string> = new Set([
  countName,
  'pods',
  ...limited,
  ...limited.map((name) => `requests.${name}`),
  ...limited.map((name) => `limits.${name}`),
]);

/** Quotas on these ask every container to state an amount. Upstream regrets it and adds no more. */
const demanding: ReadonlySet<string> = new Set([
  'cpu',
  'memory',
  'requests.cpu',
  'requests.memory',
  'limits.cpu',
  'limits.memory',
]);

/** Whether a quota on this name is about pods. */
export function isPodQuotaName(name: string): boolean {
  if (named.has(name) || name.startsWith('hugepages-') || name.startsWith('requests.hugepages-')) return true;
  return name.startsWith('requests.') && isForeign(name);
}

function isForeign(name: string): boolean {
  return name.includes('/') && !name.includes('kubernetes.io/');
}

/** A pod that will not run any more takes nothing but its place in the count of objects. */
export function podUsage(pod: Pod, nowMs: number): Map<string, Quantity> {
  const usage = new Map<string, Quantity>([[countName, oneItem]]);
  if (hasEnded(pod, nowMs)) return usage;
  const requests = withFormats(pod, 'requests', podRequests(pod));
  const limits = withFormats(pod, 'limits', podLimits(pod));
  for (const [name, amount] of charged(requests, limits)) usage.set(name, amount);
  return usage;
}

function hasEnded({ status, metadata }: Pod, nowMs: number): boolean {
  if (status?.phase === 'Succeeded' || status?.phase === 'Failed') return true;
  const { deletionTimestamp, deletionGracePeriodSeconds } = metadata ?? {};
  // deletionTimestamp has the grace period in it already; upstream adds it again, and frees the quota that much later.
  return (
    deletionTimestamp !== undefined &&
    deletionGracePeriodSeconds !== undefined &&
    nowMs > Date.parse(deletionTimestamp) + deletionGracePeriodSeconds * 1000
  );
}

function charged(requests: ReadonlyMap<string, Quantity>, limits: ReadonlyMap<string, Quantity>) {
  const result = new Map<string, Quantity>([['pods', oneItem]]);
  for (const name of limited) {
    const request = requests.get(name);
    const limit = limits.get(name);
    if (request !== undefined) result.set(name, request).set(`requests.${name}`, request);
    if (limit !== undefined) result.set(`limits.${name}`, limit);
  }
  for (const [name, request] of requests) {
    if (name.startsWith('hugepages-')) result.set(name, request).set(`requests.${name}`, request);
    else if (isForeign(name)) result.set(`requests.${name}`, request);
  }
  return result;
}

type Which = 'requests' | 'limits';

/** Sums as quantities, written as the first container that states the resource writes it. */
function withFormats(pod: Pod, which: Which, sums: ResourceAmounts): Map<string, Quantity> {
  const result = new Map<string, Quantity>();
  for (const [name, amount] of Object.entries(sums)) {
    const nano = BigInt(Math.ceil(amount)) * (name === 'cpu' ? 1_000_000n : 1_000_000_000n);
    result.set(name, { nano, format: formatOf(pod, which, name) });
  }
  return result;
}

function formatOf({ spec }: Pod, which: Which, name: string): QuantityFormat {
  for (const holder of [...(spec?.containers ?? []), ...(spec?.initContainers ?? []), { resources: spec?.resources }]) {
    const text = holder.resources?.[which]?.[name];
    if (text !== undefined) return parseQuantity(text).format;
  }
  return 'decimalSI';
}

/** What a quota on `names` misses in the pod: `must specify limits.cpu for: a,b`; '' when nothing. */
export function missingPodAmounts(pod: Pod, names: readonly string[]): string {
  const required = names.filter((name) => demanding.has(name));
  if (required.length === 0) return '';
  const { spec } = pod;
  const whole = stated(spec?.resources);
  const missing = new Map<string, Set<string>>();
  for (const container of [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])]) {
    const own = stated(container.resources);
    for (const name of required) {
      if (own.has(name) || whole.has(name)) continue;
      missing.set(name, (missing.get(name) ?? new Set()).add(container.name));
    }
  }
  if (missing.size === 0) return '';
  const parts = [...missing.keys()].sort().map((name) => `${name} for: ${[...(missing.get(name) ?? [])].sort()}`);
  return `must specify ${parts.join('; ')}`;
}

function stated(resources: ResourceRequirements | undefined): ReadonlySet<string> {
  const names = Object.keys(resources?.requests ?? {}).flatMap((name) => [name, `requests.${name}`]);
  return new Set([...names, ...Object.keys(resources?.limits ?? {}).map((name) => `limits.${name}`)]);
}
