import type { Event } from '@wherry/api';
import type { Clock } from '@wherry/daemon';

/** client-go's figures: series remembered, similar events before they are combined, and the time both hold. */
const SERIES_MAX = 4096;
const SIMILAR_MAX = 10;
const SIMILAR_WINDOW_MS = 600_000;
/** A source may send this many events about one object at once, then one in five minutes. */
const BURST = 25;
const REFILL_MS = 300_000;

export type Correlated =
  | { readonly kind: 'create'; readonly event: Event; readonly key: string }
  | { readonly kind: 'bump'; readonly event: Event; readonly key: string }
  | { readonly kind: 'drop' };

interface Series {
  readonly name: string;
  readonly firstTimestamp: string | undefined;
  count: number;
}
interface Similar {
  readonly messages: Set<string>;
  lastMs: number;
}
interface Bucket {
  tokens: number;
  atMs: number;
}

/** Decides whether an event is new, the repetition of an earlier one, or one too many. */
export class EventCorrelator {
  readonly #clock: Clock;
  readonly #series = new Map<string, Series>();
  readonly #similar = new Map<string, Similar>();
  readonly #buckets = new Map<string, Bucket>();
  #counter = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A suffix that no other event of this process has. */
  nextSuffix(nowMs: number): string {
    this.#counter = (this.#counter + 1) % 1_000_000;
    return (BigInt(Math.floor(nowMs)) * 1_000_000n + BigInt(this.#counter)).toString(16);
  }

  correlate(event: Event): Correlated {
    const { involvedObject, source } = event;
    const about = [
      source?.component,
      source?.host,
      involvedObject?.kind,
      involvedObject?.namespace,
      involvedObject?.name,
      involvedObject?.uid,
      involvedObject?.fieldPath,
    ].join('\0');
    if (!this.#takeToken(about)) return { kind: 'drop' };
    const similarKey = [about, event.type, event.reason].join('\0');
    const combined = this.#combines(similarKey, event.message ?? '');
    const message = combined ? `(combined from similar events): ${event.message ?? ''}` : event.message;
    const key = combined ? similarKey : [similarKey, event.message].join('\0');
    const known = this.#series.get(key);
    const bounded = { ...event, ...(message === undefined ? {} : { message }) };
    if (known === undefined) {
      remember(this.#series, key, { name: event.metadata?.name ?? '', firstTimestamp: event.firstTimestamp, count: 1 });
      return { kind: 'create', event: bounded, key };
    }
    known.count++;
    const bumped: Event = {
      ...bounded,
      metadata: { ...event.metadata, name: known.name },
      count: known.count,
      ...(known.firstTimestamp === undefined ? {} : { firstTimestamp: known.firstTimestamp }),
    };
    return { kind: 'bump', event: bumped, key };
  }

  /** The name under which the series' event was stored. */
  stored(key: string, name: string): void {
    const known = this.#series.get(key);
    if (known !== undefined && known.name !== name) this.#series.set(key, { ...known, name });
  }

  #combines(key: string, message: string): boolean {
    const nowMs = this.#clock.monotonicMs();
    let similar = this.#similar.get(key);
    if (similar === undefined || nowMs - similar.lastMs > SIMILAR_WINDOW_MS)
      similar = { messages: new Set(), lastMs: nowMs };
    similar.lastMs = nowMs;
    if (similar.messages.size < SIMILAR_MAX) similar.messages.add(message);
    remember(this.#similar, key, similar);
    return similar.messages.size >= SIMILAR_MAX;
  }

  #takeToken(about: string): boolean {
    const nowMs = this.#clock.monotonicMs();
    const bucket = this.#buckets.get(about) ?? { tokens: BURST, atMs: nowMs };
    bucket.tokens = Math.min(BURST, bucket.tokens + (nowMs - bucket.atMs) / REFILL_MS);
    bucket.atMs = nowMs;
    remember(this.#buckets, about, bucket);
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  }
}

/** Sets and moves to the end; the longest unused entry makes room. */
function remember<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key);
  map.set(key, value);
  if (map.size > SERIES_MAX) for (const oldest of map.keys()) return void map.delete(oldest);
}
