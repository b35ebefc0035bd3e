import type { Replica } from '../../../packages/store/src/replica/replica.ts';

export interface Operation {
  readonly kind: 'put' | 'read';
  readonly key: string;
  /** Written, or seen (undefined: the key did not exist). */
  value: string | undefined;
  readonly startedMs: number;
  /** undefined: never answered, or with an unknown outcome. */
  endedMs: number | undefined;
  /** Of the answer. */
  revision: number | undefined;
  refused: string | undefined;
}

/** What must hold at every moment. */
export class LiveCheckers {
  readonly #leaders = new Map<number, number>();
  /** What was applied at each index, by whoever was first. */
  readonly #applied = new Map<number, string>();

  check(id: number, replica: Replica, from: number): number {
    const { raft, applied } = replica;
    if (raft.role === 'leader') {
      const known = this.#leaders.get(raft.term);
      if (known !== undefined && known !== id) {
        throw new Error(`Members ${known} and ${id} both lead term ${raft.term}`);
      }
      this.#leaders.set(raft.term, id);
    }
    const { log } = raft.inspect;
    if (log.applied > Math.min(log.committed, log.persisted))
      throw new Error(`Member ${id} applied what is not durable`);
    for (let index = Math.max(from, log.firstIndex); index <= applied; index++) {
      const [entry] = log.slice(index as never, index as never, 1);
      if (entry === undefined) continue;
      const text = `${entry.term} ${entry.data.toString('latin1')}`;
      const known = this.#applied.get(index);
      if (known === undefined) this.#applied.set(index, text);
      else if (known !== text) throw new Error(`Member ${id} applied another entry at ${index}: ${text}, not ${known}`);
    }
    return applied + 1;
  }
}

/**
 * Linearizability of a store whose answers carry a global revision: revisions must respect real time, every
 * acknowledged write must stand at its revision, and every read must see the state of the revision it names.
 */
export function checkHistory(operations: readonly Operation[], events: readonly WatchedEvent[]): void {
  const answered = operations.filter((operation) => operation.endedMs !== undefined);
  checkOrder(answered);
  const byRevision = new Map(events.map((event) => [event.revision, event]));
  for (const { kind, key, value, revision = 0 } of answered) {
    if (kind !== 'put') continue;
    const event = byRevision.get(revision);
    if (event?.key !== key || event.value !== value) {
      throw new Error(`Acknowledged write ${key}=${value} at revision ${revision} is lost: ${JSON.stringify(event)}`);
    }
  }
  checkReads(answered, events);
  const written = new Set(operations.filter(({ kind }) => kind === 'put').map(({ key, value }) => `${key}=${value}`));
  for (const { key, value } of events) {
    if (!written.has(`${key}=${value}`)) throw new Error(`${key}=${value} was never written`);
  }
  const refused = new Set(
    operations.filter(({ kind, refused }) => kind === 'put' && refused !== undefined).map(({ value }) => value),
  );
  for (const { value } of events)
    if (refused.has(value)) throw new Error(`Write of ${value} was refused, yet happened`);
}

export interface WatchedEvent {
  readonly key: string;
  readonly value: string;
  readonly revision: number;
}

function checkOrder(answered: readonly Operation[]): void {
  const byStart = [...answered].sort((a, b) => a.startedMs - b.startedMs);
  const byEnd = [...answered].sort((a, b) => (a.endedMs ?? 0) - (b.endedMs ?? 0));
  let highest = 0;
  let ended = 0;
  for (const operation of byStart) {
    for (; (byEnd[ended]?.endedMs ?? Number.POSITIVE_INFINITY) < operation.startedMs; ended++) {
      highest = Math.max(highest, byEnd[ended]?.revision ?? 0);
    }
    const { kind, key, revision = 0, startedMs } = operation;
    const early = kind === 'put' ? revision <= highest : revision < highest;
    if (early) {
      throw new Error(
        `${kind} of ${key} begun at ${startedMs} answered revision ${revision}, ${highest} was known before`,
      );
    }
  }
}

function checkReads(answered: readonly Operation[], events: readonly WatchedEvent[]): void {
  const byKey = new Map<string, WatchedEvent[]>();
  for (const event of events) byKey.set(event.key, [...(byKey.get(event.key) ?? []), event]);
  for (const { kind, key, value, revision = 0 } of answered) {
    if (kind !== 'read') continue;
    const then = byKey.get(key)?.findLast((event) => event.revision <= revision);
    if (then?.value !== value)
      throw new Error(`Read of ${key} at revision ${revision} saw ${value}, was ${then?.value}`);
  }
}
