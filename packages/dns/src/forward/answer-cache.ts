import type { Clock } from '@wherry/daemon';
import { RCODE } from '../wire/query.ts';
import { scanMessage } from '../wire/scan.ts';

/** kubeadm's `cache 30`: nothing is remembered for longer. */
const TTL_SECONDS_MAX = 30;
const ENTRIES_MAX = 9984;
/** Longest-lived kind of answer that is worth memory; larger ones are asked for again. */
const ENTRY_BYTES_MAX = 16 * 1024;
const TYPE_SOA = 6;

export interface CachedAnswer {
  readonly message: Buffer;
  readonly ageSeconds: number;
  readonly kind: 'success' | 'denial';
}

interface Entry {
  readonly message: Buffer;
  readonly kind: CachedAnswer['kind'];
  readonly storedAtMs: number;
  readonly endsAtMs: number;
}

/** Upstream's answers for as long as they may be kept; when full, the one used longest ago makes room. */
export class AnswerCache {
  readonly #clock: Clock;
  readonly #entriesMax: number;
  /** In order of use. */
  readonly #entries = new Map<string, Entry>();

  constructor(clock: Clock, entriesMax = ENTRIES_MAX) {
    this.#clock = clock;
    this.#entriesMax = entriesMax;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): CachedAnswer | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    const nowMs = this.#clock.monotonicMs();
    if (nowMs >= entry.endsAtMs) return undefined;
    this.#entries.set(key, entry);
    const ageSeconds = Math.floor((nowMs - entry.storedAtMs) / 1000);
    return { message: entry.message, kind: entry.kind, ageSeconds };
  }

  put(key: string, message: Buffer): void {
    const lifetime = message.length > ENTRY_BYTES_MAX ? undefined : lifetimeOf(message);
    if (lifetime === undefined) return;
    const storedAtMs = this.#clock.monotonicMs();
    this.#entries.delete(key);
    this.#entries.set(key, {
      message,
      kind: lifetime.kind,
      storedAtMs,
      endsAtMs: storedAtMs + lifetime.ttlSeconds * 1000,
    });
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > this.#entriesMax && oldest !== undefined) this.#entries.delete(oldest);
  }
}

/** RFC 2308: data for its smallest TTL, a denial for its SOA's; all else is not to be remembered. */
function lifetimeOf(message: Buffer): { readonly kind: CachedAnswer['kind']; readonly ttlSeconds: number } | undefined {
  const scanned = scanMessage(message);
  if (scanned === undefined) return undefined;
  const { records, question, flags } = scanned;
  const rcode = flags & 0xf;
  const answers = records.filter(({ section }) => section === 'answer');
  const ttls = answers.map(({ ttl }) => ttl);
  const isAnswered = answers.some(({ type }) => type === question?.type);
  if (rcode === RCODE.NOERROR && isAnswered) return positive('success', ttls);
  if (rcode !== RCODE.NOERROR && rcode !== RCODE.NXDOMAIN) return undefined;
  const soa = records.find(({ section, type }) => section === 'authority' && type === TYPE_SOA);
  if (soa === undefined || soa.end - soa.dataStart < 22) return undefined;
  return positive('denial', [...ttls, soa.ttl, message.readUInt32BE(soa.end - 4)]);
}

function positive(kind: CachedAnswer['kind'], ttls: readonly number[]) {
  const ttlSeconds = Math.min(TTL_SECONDS_MAX, ...ttls);
  return ttlSeconds > 0 ? { kind, ttlSeconds } : undefined;
}
