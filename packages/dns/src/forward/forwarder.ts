import type { Clock, Logger, Random } from '@wherry/daemon';
import { FLAG, type Query, RCODE, TYPE_OPT } from '../wire/query.ts';
import { EDNS_BYTES, optRecord, withRecords } from '../wire/response.ts';
import { HEADER_BYTES, scanMessage } from '../wire/scan.ts';
import { AnswerCache } from './answer-cache.ts';
import { exchangeTcp, exchangeUdp } from './exchange.ts';
import type { ForwardMetrics } from './forward-metrics.ts';
import type { Upstream } from './upstreams.ts';

/** Questions that wait for upstreams at once (kubeadm's `max_concurrent`); more are refused. */
const IN_FLIGHT_MAX = 1000;
/** CoreDNS's read timeout of one try, and of all tries: clients give up after 5 s. */
const TRY_MS_MAX = 2_000;
const TOTAL_MS_MAX = 5_000;
/** For how long an upstream that did not answer is asked last. */
const SHUN_MS = 10_000;

export type Forwarded =
  | { readonly kind: 'answer'; readonly message: Buffer; readonly ageSeconds: number }
  | { readonly kind: 'failed'; readonly reason: string }
  /** Nobody is known who could be asked. */
  | { readonly kind: 'alone' }
  | { readonly kind: 'overloaded' };

/** What is asked; the client's id and flags stay behind. */
export type ForwardQuestion = Pick<Query, 'question' | 'name' | 'type' | 'edns' | 'checkingDisabled'>;

export interface ForwarderOptions {
  /** In order of preference; read for each question. */
  readonly upstreams: () => readonly Upstream[];
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: ForwardMetrics;
  /** @default 1000 */
  readonly inFlightMax?: number;
  /** @default 2000 */
  readonly tryMsMax?: number;
}

/** Asks the host's resolvers for names that are not the cluster's. Equal questions under way are asked once. */
export class Forwarder {
  readonly #options: ForwarderOptions;
  readonly #cache: AnswerCache;
  readonly #inFlight = new Map<string, Promise<Forwarded>>();
  readonly #shunnedUntilMs = new Map<string, number>();

  constructor(options: ForwarderOptions) {
    this.#options = options;
    this.#cache = new AnswerCache(options.clock);
    options.metrics.follow(() => this.#cache.size);
  }

  async resolve(question: ForwardQuestion): Promise<Forwarded> {
    const { metrics, inFlightMax = IN_FLIGHT_MAX } = this.#options;
    const key = keyOf(question);
    const cached = this.#cache.get(key);
    if (cached !== undefined) {
      metrics.hit(cached.kind);
      return { kind: 'answer', message: cached.message, ageSeconds: cached.ageSeconds };
    }
    metrics.missed();
    const underWay = this.#inFlight.get(key);
    if (underWay !== undefined) return underWay;
    if (this.#inFlight.size >= inFlightMax) {
      metrics.rejected();
      return { kind: 'overloaded' };
    }
    const asked = this.#ask(key, question).finally(() => this.#inFlight.delete(key));
    this.#inFlight.set(key, asked);
    return asked;
  }

  async #ask(key: string, question: ForwardQuestion): Promise<Forwarded> {
    const { clock, logger, tryMsMax = TRY_MS_MAX } = this.#options;
    const deadlineMs = clock.monotonicMs() + TOTAL_MS_MAX;
    let refusal: Buffer | undefined;
    let reason = '';
    const upstreams = this.#inOrder();
    if (upstreams.length === 0) return { kind: 'alone' };
    for (const upstream of upstreams) {
      const leftMs = deadlineMs - clock.monotonicMs();
      if (leftMs <= 0) break;
      try {
        const message = await this.#askOne(upstream, question, Math.min(tryMsMax, leftMs));
        const rcode = message.readUInt16BE(2) & 0xf;
        // Another resolver may know better than one that failed or does not want to.
        if (rcode === RCODE.SERVFAIL || rcode === RCODE.REFUSED) {
          refusal ??= message;
          continue;
        }
        this.#shunnedUntilMs.delete(hostPort(upstream));
        this.#cache.put(key, message);
        return { kind: 'answer', message, ageSeconds: 0 };
      } catch (error) {
        reason = error instanceof Error ? error.message : String(error);
        this.#shunnedUntilMs.set(hostPort(upstream), clock.monotonicMs() + SHUN_MS);
        logger.debug({ upstream, reason }, 'upstream did not answer');
      }
    }
    return refusal === undefined ? { kind: 'failed', reason } : { kind: 'answer', message: refusal, ageSeconds: 0 };
  }

  #inOrder(): readonly Upstream[] {
    const nowMs = this.#options.clock.monotonicMs();
    const isShunned = (upstream: Upstream) => (this.#shunnedUntilMs.get(hostPort(upstream)) ?? 0) > nowMs;
    const upstreams = this.#options.upstreams();
    return [...upstreams.filter((upstream) => !isShunned(upstream)), ...upstreams.filter(isShunned)];
  }

  /** @returns the response without its OPT record, complete even if that takes TCP */
  async #askOne(upstream: Upstream, question: ForwardQuestion, timeoutMs: number): Promise<Buffer> {
    const { clock, random, metrics } = this.#options;
    const request = requestFor(question, random.integer(0x1_0000));
    const startMs = clock.monotonicMs();
    const accepts = (response: Buffer) => isResponseTo(request, response);
    const options = { upstream, request, timeoutMs, clock, accepts };
    const to = hostPort(upstream);
    metrics.asked(to);
    let response = await exchangeUdp(options);
    if ((response.readUInt16BE(2) & FLAG.TRUNCATED) !== 0) response = await exchangeTcp(options);
    metrics.answered(to, response.readUInt16BE(2) & 0xf, clock.monotonicMs() - startMs);
    return withoutOpt(response);
  }
}

function hostPort({ address, port }: Upstream): string {
  return `${address}:${port}`;
}

/** Answers differ by DNSSEC wishes, not by who asks or how large a message they take. */
function keyOf({ name, type, edns, checkingDisabled }: ForwardQuestion): string {
  // The separator cannot be confused with a dot inside a label.
  return `${name.join('\0')} ${type} ${edns?.dnssecOk === true} ${checkingDisabled}`;
}

function requestFor({ question, edns, checkingDisabled }: ForwardQuestion, id: number): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt16BE(id, 0);
  header.writeUInt16BE(FLAG.RECURSION_DESIRED | (checkingDisabled ? FLAG.CHECKING_DISABLED : 0), 2);
  header.writeUInt16BE(1, 4);
  if (edns === undefined) return Buffer.concat([header, question]);
  header.writeUInt16BE(1, 10);
  return Buffer.concat([header, question, optRecord(EDNS_BYTES, 0, edns.dnssecOk)]);
}

function isResponseTo(request: Buffer, response: Buffer): boolean {
  const asked = scanMessage(request);
  const answered = scanMessage(response);
  if (asked?.question === undefined || answered?.question === undefined) return false;
  return (
    answered.id === asked.id &&
    (answered.flags & FLAG.RESPONSE) !== 0 &&
    answered.question.type === asked.question.type &&
    answered.question.class === asked.question.class &&
    answered.question.labels.join('\0').toLowerCase() === asked.question.labels.join('\0').toLowerCase()
  );
}

/** EDNS0 is between neighbours. What follows the OPT record, which is usually nothing, goes with it. */
function withoutOpt(response: Buffer): Buffer {
  const scanned = scanMessage(response);
  if (scanned === undefined) throw new Error('Cannot use a response: it is malformed');
  const index = scanned.records.findIndex(({ type }) => type === TYPE_OPT);
  return withRecords(response, scanned, index === -1 ? scanned.records : scanned.records.slice(0, index));
}
