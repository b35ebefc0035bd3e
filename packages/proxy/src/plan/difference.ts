import type { Endpoint } from './endpoints.ts';
import { endpointKey } from './endpoints.ts';
import type { ServiceRule, Target } from './service-rules.ts';

/** One step from the rules in force to the wanted ones. */
export type RuleChange =
  | { readonly kind: 'add'; readonly rule: ServiceRule; readonly why: string }
  | { readonly kind: 'replace'; readonly rule: ServiceRule; readonly previous: ServiceRule; readonly why: string }
  | { readonly kind: 'remove'; readonly previous: ServiceRule; readonly why: string };

/** What must change so that `previous` becomes `wanted`; nothing for rules that are equal. */
export function ruleChanges(previous: readonly ServiceRule[], wanted: readonly ServiceRule[]): readonly RuleChange[] {
  const before = new Map(previous.map((rule) => [rule.key, rule]));
  const changes: RuleChange[] = [];
  for (const rule of wanted) {
    const old = before.get(rule.key);
    before.delete(rule.key);
    if (old === undefined) changes.push({ kind: 'add', rule, why: `new service port ${rule.key}` });
    else {
      const why = reasonToReplace(old, rule);
      if (why !== undefined) changes.push({ kind: 'replace', rule, previous: old, why });
    }
  }
  // Removals first: a port that is renamed must free its address before the new rule takes it.
  const removals = [...before.values()].map(
    (old): RuleChange => ({ kind: 'remove', previous: old, why: `service port ${old.key} is gone` }),
  );
  return [...removals, ...changes];
}

/** Why `rule` differs from `old`, in words for the log; undefined when it does not. */
function reasonToReplace(old: ServiceRule, rule: ServiceRule): string | undefined {
  const reasons: string[] = [];
  if (old.clusterIp !== rule.clusterIp || old.port !== rule.port) reasons.push('address changed');
  if (old.nodePort !== rule.nodePort) reasons.push('node port changed');
  if (old.externalIps.join() !== rule.externalIps.join()) reasons.push('external IPs changed');
  if (old.affinitySeconds !== rule.affinitySeconds) reasons.push('session affinity changed');
  if (old.keepsClientAddress !== rule.keepsClientAddress) reasons.push('external traffic policy changed');
  const endpoints = new Set<string>();
  for (const door of ['internal', 'external', 'shortcut'] as const) {
    for (const change of targetChanges(old[door], rule[door])) endpoints.add(change);
  }
  reasons.push(...endpoints);
  return reasons.length === 0 ? undefined : reasons.join(', ');
}

function targetChanges(old: Target, target: Target): readonly string[] {
  const before = new Set(endpointsOf(old).map(endpointKey));
  const after = new Set(endpointsOf(target).map(endpointKey));
  const changes = [
    ...[...after].filter((key) => !before.has(key)).map((key) => `endpoint ${key} added`),
    ...[...before].filter((key) => !after.has(key)).map((key) => `endpoint ${key} removed`),
  ];
  if (changes.length === 0 && old.kind !== target.kind) changes.push(`${old.kind} becomes ${target.kind}`);
  return changes;
}

export function endpointsOf(target: Target): readonly Endpoint[] {
  return target.kind === 'forward' ? target.endpoints : [];
}
