import {
  type ApiObject,
  addAmounts,
  amountsText,
  exceededNames,
  formatAmounts,
  maskAmounts,
  parseAmounts,
  type QuotaAmounts,
  type QuotaEvaluator,
  quotaMatches,
  type ResourceQuota,
  type ScopedResourceSelectorRequirement,
  scopeRequirements,
  subtractAmounts,
  withoutZeros,
} from '@wherry/api';

/** A write that quotas may be about. */
export interface QuotaRequest {
  readonly evaluator: QuotaEvaluator;
  /** `group/resource`. */
  readonly resource: string;
  readonly operation: 'CREATE' | 'UPDATE';
  readonly subresource: string;
  readonly object: ApiObject;
  readonly old: ApiObject | undefined;
}

/** What may only be used where a quota covers it (`limitedResources` of the plugin's configuration). */
export interface LimitedResource {
  /** `group/resource`. */
  readonly resource: string;
  readonly matchContains: readonly string[];
  readonly matchScopes: readonly ScopedResourceSelectorRequirement[];
}

export type Charge =
  /** Quotas by index that must be written before the request may go on. */
  | { readonly kind: 'fits'; readonly quotas: readonly ResourceQuota[]; readonly changed: readonly number[] }
  | { readonly kind: 'refused'; readonly reason: string };

/** Whether a request fits into all quotas of its namespace, and how they stand afterwards. */
export function chargeQuotas(
  quotas: readonly ResourceQuota[],
  request: QuotaRequest,
  limitedResources: readonly LimitedResource[],
  nowMs: number,
): Charge {
  const { evaluator, object } = request;
  const concerned: { readonly index: number; readonly names: readonly string[] }[] = [];
  for (const [index, quota] of quotas.entries()) {
    const hard = Object.keys(quota.status?.hard ?? {});
    if (!quotaMatches(quota, hard, evaluator, object)) continue;
    const names = hard.filter((name) => evaluator.concerns(name));
    const missing = evaluator.missing(object, names);
    if (missing !== '') return refused(`failed quota: ${nameOf(quota)}: ${missing}`);
    if (names.some((name) => quota.status?.used?.[name] === undefined)) {
      return refused(`status unknown for quota: ${nameOf(quota)}, resources: ${[...names].sort().join(',')}`);
    }
    concerned.push({ index, names });
  }
  const usage = evaluator.usage(object, nowMs);
  const negative = [...usage].filter(([, { nano }]) => nano < 0n).map(([name]) => name);
  if (negative.length > 0) {
    return refused(`quota usage is negative for resource(s): ${negative.sort().join(',')}`);
  }
  const deltas = new Map(concerned.map(({ index }) => [index, deltaFor(quotas[index], request, usage, nowMs)]));
  if (
    [...deltas.values()].every(({ size }) => size === 0) &&
    (concerned.length > 0 || isUnchanged(request, usage, nowMs))
  ) {
    return { kind: 'fits', quotas, changed: [] };
  }
  const uncovered = coverage(
    quotas,
    concerned.flatMap(({ names }) => names),
    request,
    usage,
    limitedResources,
  );
  return uncovered === undefined ? applied(quotas, request, deltas) : refused(uncovered);
}

function refused(reason: string): Charge {
  return { kind: 'refused', reason };
}

/** What an update adds to what the old object took of the same quota. */
function deltaFor(
  quota: ResourceQuota | undefined,
  { evaluator, operation, old }: QuotaRequest,
  usage: QuotaAmounts,
  nowMs: number,
): QuotaAmounts {
  const counted =
    operation === 'UPDATE' &&
    old !== undefined &&
    quota !== undefined &&
    quotaMatches(quota, Object.keys(quota.status?.hard ?? {}), evaluator, old);
  return withoutZeros(counted ? subtractAmounts(usage, evaluator.usage(old, nowMs)) : usage);
}

function isUnchanged({ evaluator, operation, old }: QuotaRequest, usage: QuotaAmounts, nowMs: number): boolean {
  const before = operation === 'UPDATE' && old !== undefined ? evaluator.usage(old, nowMs) : undefined;
  return withoutZeros(before === undefined ? usage : subtractAmounts(usage, before)).size === 0;
}

/** Why the request may not go on although no quota is exceeded: what it uses needs a quota that covers it. */
function coverage(
  quotas: readonly ResourceQuota[],
  coveredNames: readonly string[],
  { evaluator, object, resource }: QuotaRequest,
  usage: QuotaAmounts,
  limitedResources: readonly LimitedResource[],
): string | undefined {
  const limited = limitedResources.filter((limit) => limit.resource === resource);
  if (limited.length === 0) return undefined;
  const contained = limited.flatMap(({ matchContains }) => matchContains);
  const names = [...withoutZeros(usage).keys()].filter(
    (name) => contained.some((part) => name.includes(part)) && !coveredNames.includes(name),
  );
  if (names.length > 0) return `insufficient quota to consume: ${names.sort().join(',')}`;
  const covering = new Set(
    quotas
      .flatMap(scopeRequirements)
      .filter((requirement) => evaluator.inScope(object, requirement))
      .map(({ scopeName }) => scopeName),
  );
  const bare = limited
    .flatMap(({ matchScopes }) => matchScopes)
    .filter((scope) => evaluator.inScope(object, scope) && !covering.has(scope.scopeName));
  return bare.length === 0 ? undefined : `insufficient quota to match these scopes: [${bare.map(scopeText).join(' ')}]`;
}

function scopeText({ scopeName, operator, values = [] }: ScopedResourceSelectorRequirement): string {
  return `{${scopeName} ${operator} [${values.join(' ')}]}`;
}

function applied(
  quotas: readonly ResourceQuota[],
  { subresource }: QuotaRequest,
  deltas: ReadonlyMap<number, QuotaAmounts>,
): Charge {
  const next = [...quotas];
  const changed: number[] = [];
  for (const [index, delta] of deltas) {
    const quota = quotas[index];
    if (quota === undefined || delta.size === 0) continue;
    const hard = parseAmounts(quota.status?.hard);
    const used = parseAmounts(quota.status?.used);
    const requested = maskAmounts(delta, hard.keys());
    const total = addAmounts(used, requested);
    const exceeded = subresource === 'status' ? [] : exceededNames(maskAmounts(total, requested.keys()), hard);
    if (exceeded.length > 0) {
      const part = (amounts: QuotaAmounts): string => amountsText(maskAmounts(amounts, exceeded));
      return refused(
        `exceeded quota: ${nameOf(quota)}, requested: ${part(requested)}, used: ${part(used)}, limited: ${part(hard)}`,
      );
    }
    if (requested.size === 0) continue;
    next[index] = { ...quota, status: { ...quota.status, used: formatAmounts(total) } };
    changed.push(index);
  }
  return { kind: 'fits', quotas: next, changed };
}

function nameOf(quota: ResourceQuota): string {
  return quota.metadata?.name ?? '';
}
