import type { Clock } from '@wherry/daemon';
import dns, { type Answer, type Packet } from 'dns-packet';
import type { Forwarder } from '../upstream/forwarder.ts';
import type { ClusterZone } from '../zone/cluster-zone.ts';
import type { ZoneAnswer, ZoneRecord } from '../zone/records.ts';
import { ednsOf, questionOf, type WireQuestion } from '../zone/wire.ts';
import type { ResolverMetrics } from './resolver-metrics.ts';

/** How long clients may keep our records, and that a name does not exist; kubeadm's CoreDNS has the same. */
const TTL_SECONDS = 30;
/** What we can take over UDP without fragments. */
const EDNS_BYTES = 1232;
const CLASS_IN = 1;
/** Aliases to names of the zone that are aliases themselves are followed this far. */
const ALIASES_MAX = 8;

const RCODE = { ok: 0, formatError: 1, serverFailure: 2, noSuchName: 3, notImplemented: 4 } as const;
type Rcode = (typeof RCODE)[keyof typeof RCODE];

const AUTHORITATIVE = 0x0400;
const RECURSION_AVAILABLE = 0x0080;
const RECURSION_DESIRED = 0x0100;

export interface ResolverOptions {
  readonly zone: ClusterZone;
  readonly forwarder: Forwarder;
  /** False until the caches are complete: an answer from half of them would say of names that they do not exist. */
  readonly isReady: () => boolean;
  readonly clock: Clock;
  readonly metrics: ResolverMetrics;
}

/** From a query's bytes to the answer's. */
export class Resolver {
  readonly #options: ResolverOptions;

  constructor(options: ResolverOptions) {
    this.#options = options;
  }

  /** @returns undefined for what deserves no answer: too short to be a query, or an answer itself */
  async resolve(query: Uint8Array): Promise<Uint8Array | undefined> {
    const startMs = this.#options.clock.monotonicMs();
    if (query.byteLength < 12 || ((query[2] ?? 0) & 0x80) !== 0) return undefined;
    const opcode = ((query[2] ?? 0) >> 3) & 0x0f;
    const question = questionOf(query);
    if (opcode !== 0) return this.#plain(query, question, RCODE.notImplemented);
    if (question === undefined) return this.#plain(query, undefined, RCODE.formatError);
    const response = await this.#answer(query, question);
    this.#options.metrics.answered(
      dns.decode(response).rcode ?? 'NOERROR',
      this.#options.clock.monotonicMs() - startMs,
    );
    return response;
  }

  async #answer(query: Uint8Array, question: WireQuestion): Promise<Uint8Array> {
    const { zone, isReady, forwarder } = this.#options;
    const type = typeName(question.type);
    const answer = zone.answer({ name: question.name, type });
    const isOurs = question.class === CLASS_IN && answer.kind !== 'elsewhere';
    if (!isOurs) {
      return (await forwarder.forward(query)) ?? this.#plain(query, question, RCODE.serverFailure);
    }
    if (!isReady()) return this.#plain(query, question, RCODE.serverFailure);
    const name = writtenName(query, question);
    if (answer.kind === 'alias') return this.#alias(query, question, type, answer);
    if (answer.kind === 'no-such-name') return this.#reply(query, question, RCODE.noSuchName, [], this.#negative(), []);
    const records = type === 'SOA' && question.name === zone.domain ? this.#negative() : answer.records;
    const authorities = records.length === 0 ? this.#negative() : [];
    const own = records.map((record) => (record.name === question.name ? { ...record, name } : record));
    return this.#reply(query, question, RCODE.ok, own, authorities, answer.additional);
  }

  /** An alias with what it leads to, as far as that can be found out; the client can go on from the alias itself. */
  async #alias(
    query: Uint8Array,
    question: WireQuestion,
    type: string,
    alias: Extract<ZoneAnswer, { kind: 'alias' }>,
  ): Promise<Uint8Array> {
    const records: (ZoneRecord | Answer)[] = [{ ...alias.record, name: writtenName(query, question) }];
    let { target } = alias;
    for (let depth = 0; type !== 'CNAME' && depth < ALIASES_MAX; depth++) {
      const next = this.#options.zone.answer({ name: target, type });
      if (next.kind === 'elsewhere') records.push(...(await this.#foreign(target, type)));
      if (next.kind === 'records') records.push(...next.records);
      if (next.kind !== 'alias') break;
      records.push(next.record);
      target = next.target;
    }
    return this.#reply(query, question, RCODE.ok, records, [], []);
  }

  async #foreign(name: string, type: string): Promise<readonly Answer[]> {
    const questions = [{ name, type: type as 'A' }];
    const query = dns.encode({ type: 'query', id: 0, flags: RECURSION_DESIRED, questions });
    const answer = await this.#options.forwarder.forward(query);
    return answer === undefined ? [] : (dns.decode(Buffer.from(answer)).answers ?? []);
  }

  #negative(): readonly ZoneRecord[] {
    const { zone, clock } = this.#options;
    return [zone.soa(Math.floor(clock.now() / 1000), TTL_SECONDS)];
  }

  #plain(query: Uint8Array, question: WireQuestion | undefined, rcode: Rcode): Uint8Array {
    return this.#reply(query, question, rcode, [], [], []);
  }

  #reply(
    query: Uint8Array,
    question: WireQuestion | undefined,
    rcode: Rcode,
    answers: readonly (ZoneRecord | Answer)[],
    authorities: readonly ZoneRecord[],
    additionals: readonly ZoneRecord[],
  ): Uint8Array {
    const asksRecursion = ((query[2] ?? 0) & 0x01) !== 0;
    const authoritative = rcode === RCODE.ok || rcode === RCODE.noSuchName ? AUTHORITATIVE : 0;
    const withTtl = (record: ZoneRecord | Answer): Answer => ({ ttl: TTL_SECONDS, ...record }) as Answer;
    const packet: Packet = {
      type: 'response',
      id: new DataView(query.buffer, query.byteOffset).getUint16(0),
      flags: authoritative | RECURSION_AVAILABLE | (asksRecursion ? RECURSION_DESIRED : 0) | rcode,
      questions: [],
      answers: answers.map(withTtl),
      authorities: authorities.map(withTtl),
      additionals: [...additionals.map(withTtl), ...(ednsOf(query) === undefined ? [] : [edns()])],
    };
    const encoded = dns.encode(packet);
    return question === undefined ? encoded : withQuestion(encoded, query.subarray(12, question.end));
  }
}

function edns(): Answer {
  return {
    type: 'OPT',
    name: '.',
    udpPayloadSize: EDNS_BYTES,
    extendedRcode: 0,
    ednsVersion: 0,
    flags: 0,
    flag_do: false,
    options: [],
  };
}

/** The question's own bytes: types and classes that the library has no name for come back as they were asked. */
function withQuestion(message: Uint8Array, question: Uint8Array): Uint8Array {
  const result = new Uint8Array(message.byteLength + question.byteLength);
  result.set(message.subarray(0, 12));
  result.set(question, 12);
  result.set(message.subarray(12), 12 + question.byteLength);
  result[5] = 1;
  return result;
}

/** The name in the letters the client used. */
function writtenName(query: Uint8Array, question: WireQuestion): string {
  const bytes = query.subarray(13, 13 + question.name.length);
  const text = String.fromCharCode(...bytes);
  let written = '';
  // Where the lower-case name has a dot, the message has a length.
  for (let index = 0; index < question.name.length; index++) {
    written += question.name[index] === '.' ? '.' : (text[index] ?? '');
  }
  return written;
}

const TYPE_NAMES: Readonly<Record<number, string>> = {
  1: 'A',
  2: 'NS',
  5: 'CNAME',
  6: 'SOA',
  12: 'PTR',
  16: 'TXT',
  28: 'AAAA',
  33: 'SRV',
};

function typeName(type: number): string {
  return TYPE_NAMES[type] ?? `TYPE${type}`;
}
