import type { Event, Pod } from '@wherry/api';
import type { Seen } from './watch-history.ts';

/** What no history of pods may contain. */
export function podProblems(events: readonly Seen<Pod>[]): readonly string[] {
  const nodes = new Map<string, string>();
  const uids = new Map<string, string>();
  const problems: string[] = [];
  for (const { type, key, object, revision } of events) {
    const uid = object.metadata?.uid ?? '';
    const node = object.spec?.nodeName ?? '';
    const before = nodes.get(uid) ?? '';
    if (before !== '' && node !== before)
      problems.push(`pod ${key} (${uid}) was bound to ${before} and then to "${node}" at ${revision}`);
    nodes.set(uid, node);
    const owner = uids.get(key);
    if (owner !== undefined && owner !== uid)
      problems.push(`pod ${key} is ${uid} at ${revision}, and ${owner} was never deleted`);
    if (type === 'DELETED') uids.delete(key);
    else uids.set(key, uid);
  }
  return problems;
}

/** Each pod is said to be scheduled once, to one node. */
export function schedulingProblems(events: readonly Seen<Event>[]): readonly string[] {
  const messages = new Map<string, Set<string>>();
  for (const { object } of events) {
    if (object.reason !== 'Scheduled') continue;
    const uid = object.involvedObject?.uid ?? '';
    messages.set(uid, (messages.get(uid) ?? new Set()).add(object.message ?? ''));
  }
  return [...messages.values()]
    .filter((said) => said.size > 1)
    .map((said) => `a pod was scheduled twice: ${[...said].join(' | ')}`);
}
