import type { Clock, Logger, Random } from '@wherry/daemon';
import { type Answer, decode } from 'dns-packet';
import type { Forwarder } from '../forward/forwarder.ts';
import { parseQuery, type Query, RCODE } from '../wire/query.ts';
import { encodeRefusal, encodeResponse, finish, relayed } from '../wire/response.ts';
import { typeName } from '../wire/types.ts';
import { answerQuestion, type ZoneAnswer, type ZoneConfig, type ZoneRecord } from '../zone/answer.ts';
import type { ClusterView } from '../zone/cluster-view.ts';
import { addressOfReverseName, type Labels, labelsBelow, labelsOf } from '../zone/names.ts';
import type { ServerMetrics } from './server-metrics.ts';

export interface HandlerOptions {
  readonly view: ClusterView;
  /** Whether the view shows the whole cluster yet; until then its names are answered with SERVFAIL. */
  readonly isComplete: () => boolean;
  readonly zone: ZoneConfig;
  readonly forwarder: Forwarder;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: ServerMetrics;
}

export type Protocol = 'udp' | 'tcp';

/** From a request's bytes to its response's: the cluster's names from memory, all others from upstream. */
export class Handler {
  readonly #options: HandlerOptions;
  readonly #zoneLabels: Labels;

  constructor(options: HandlerOptions) {
    this.#options = options;
    this.#zoneLabels = labelsOf(options.zone.clusterDomain);
  }

  /** @returns nothing for what is no request */
  async handle(request: Buffer, protocol: Protocol): Promise<Buffer | undefined> {
    const { clock, metrics } = this.#options;
    const startMs = clock.monotonicMs();
    const parsed = parseQuery(request);
    if (parsed.kind === 'ignored') return undefined;
    const zone = this.#zoneOf(parsed.query);
    metrics.asked(zone, protocol, typeName(parsed.query?.type ?? 0));
    const response =
      parsed.kind === 'refused'
        ? encodeRefusal(parsed.rcode, parsed.header, parsed.query)
        : finish(await this.#answer(parsed.query), parsed.query, parsed.query, protocol);
    metrics.answered(zone, response.readUInt16BE(2) & 0xf, clock.monotonicMs() - startMs);
    return response;
  }

  /** The label of metrics: the zone that is responsible. */
  #zoneOf(query: Query | undefined): string {
    const isOurs = query !== undefined && labelsBelow(query.name, this.#zoneLabels) !== undefined;
    return isOurs ? `${this.#options.zone.clusterDomain}.` : '.';
  }

  async #answer(query: Query): Promise<Buffer> {
    const { view, zone, isComplete, forwarder } = this.#options;
    const needsView = labelsBelow(query.name, this.#zoneLabels) !== undefined || addressOfReverseName(query.name);
    if (needsView && !isComplete()) return failure(query, RCODE.SERVFAIL);
    const answer = answerQuestion({ name: query.name, type: typeName(query.type) }, view, zone);
    if (answer.kind === 'alias') return this.#chase(query, answer);
    if (answer.kind !== 'elsewhere') return this.#local(query, answer);
    const forwarded = await forwarder.resolve(query);
    switch (forwarded.kind) {
      case 'answer':
        return relayed(forwarded.message, query, forwarded.ageSeconds);
      case 'overloaded':
        return failure(query, RCODE.REFUSED);
      case 'failed':
        this.#options.logger.warn({ name: query.name.join('.'), reason: forwarded.reason }, 'cannot forward');
        return failure(query, RCODE.SERVFAIL);
      case 'alone':
        return failure(query, RCODE.SERVFAIL);
    }
  }

  #local(query: Query, answer: Exclude<ZoneAnswer, { kind: 'elsewhere' | 'alias' }>): Buffer {
    const found = answer.kind === 'records';
    return encodeResponse(query, {
      rcode: answer.kind === 'noName' ? RCODE.NXDOMAIN : RCODE.NOERROR,
      authoritative: true,
      answers: shuffledAddresses(answer.answers, this.#options.random),
      authorities: found ? [] : [answer.soa],
      additionals: found ? answer.additionals : [],
    });
  }

  /** Clients take us for a recursor and expect the addresses behind an alias, too. */
  async #chase(query: Query, { answers, target }: Extract<ZoneAnswer, { kind: 'alias' }>): Promise<Buffer> {
    const respond = (rcode: number, more: readonly Answer[] = [], authorities: readonly Answer[] = []) =>
      encodeResponse(query, {
        rcode,
        authoritative: true,
        answers: [...answers, ...more],
        authorities,
        additionals: [],
      });
    const forwarded = await this.#options.forwarder.resolve({
      ...query,
      name: target,
      question: questionBytes(target, query.type),
    });
    // The alias itself is known, and all there is when nobody can be asked where it leads.
    if (forwarded.kind === 'alone') return respond(RCODE.NOERROR);
    const found = forwarded.kind === 'answer' ? decoded(forwarded.message) : undefined;
    return found === undefined ? respond(RCODE.SERVFAIL) : respond(found.rcode, found.answers, found.authorities);
  }
}

function failure(query: Query, rcode: number): Buffer {
  return encodeResponse(query, { rcode, authoritative: false, answers: [], authorities: [], additionals: [] });
}

/** Spreads clients that take the first address over all (CoreDNS's `loadbalance`); aliases stay in front. */
function shuffledAddresses(records: readonly ZoneRecord[], random: Random): readonly ZoneRecord[] {
  const isAddress = ({ type }: ZoneRecord) => type === 'A' || type === 'AAAA';
  const addresses = records.filter(isAddress);
  for (let last = addresses.length - 1; last > 0; last--) {
    const other = random.integer(last + 1);
    const [a, b] = [addresses[last], addresses[other]];
    if (a !== undefined && b !== undefined) [addresses[last], addresses[other]] = [b, a];
  }
  return [...records.filter((record) => !isAddress(record)), ...addresses];
}

function questionBytes(name: Labels, type: number): Buffer {
  const labels = name.flatMap((label) => [Buffer.from([label.length]), Buffer.from(label, 'latin1')]);
  const tail = Buffer.from([0, type >> 8, type & 0xff, 0, 1]);
  return Buffer.concat([...labels, tail]);
}

interface Decoded {
  readonly rcode: number;
  readonly answers: readonly Answer[];
  readonly authorities: readonly Answer[];
}

/** An upstream's records taken apart, since pointers in them are of no use in another message. */
function decoded(message: Buffer): Decoded | undefined {
  try {
    const { answers = [], authorities = [], flags = 0 } = decode(message);
    return { rcode: flags & 0xf, answers, authorities };
  } catch (error) {
    if (error instanceof Error) return undefined;
    throw error;
  }
}
