import type { Clock, Logger, Random } from '@wherry/daemon';
import { ednsOf, questionOf, readdressed } from '../zone/wire.ts';
import { AnswerCache } from './answer-cache.ts';
import { exchange, type Server } from './exchange.ts';

/** Questions under way at once; more are answered with SERVFAIL. */
const UNDERWAY_MAX = 1_000;
const TIMEOUT_MS = 2_000;
/** Rounds through all servers before giving up. */
const ROUNDS = 2;

export interface ForwarderOptions {
  readonly servers: readonly Server[];
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** Asks other name servers what is not the cluster's, remembers answers, and asks each question once at a time. */
export class Forwarder {
  readonly #options: ForwarderOptions;
  readonly #cache: AnswerCache;
  readonly #underway = new Map<string, Promise<Uint8Array | undefined>>();
  /** The server that answered last is asked first. */
  #first = 0;

  constructor(options: ForwarderOptions) {
    this.#options = options;
    this.#cache = new AnswerCache(options.clock);
  }

  /** @returns undefined when nobody answers */
  async forward(query: Uint8Array): Promise<Uint8Array | undefined> {
    const key = keyOf(query);
    if (key === undefined) return undefined;
    const kept = this.#cache.get(key);
    if (kept !== undefined) return readdressed(kept, query);
    let asking = this.#underway.get(key);
    if (asking === undefined) {
      if (this.#underway.size >= UNDERWAY_MAX) return undefined;
      asking = this.#ask(query, key).finally(() => this.#underway.delete(key));
      this.#underway.set(key, asking);
    }
    const answer = await asking;
    return answer === undefined ? undefined : readdressed(answer, query);
  }

  async #ask(query: Uint8Array, key: string): Promise<Uint8Array | undefined> {
    const { servers, logger } = this.#options;
    for (let attempt = 0; attempt < servers.length * ROUNDS; attempt++) {
      const index = (this.#first + attempt) % servers.length;
      const server = servers[index];
      if (server === undefined) continue;
      try {
        const answer = await exchange(query, server, { ...this.#options, timeoutMs: TIMEOUT_MS });
        this.#first = index;
        this.#cache.store(key, answer);
        return answer;
      } catch (error) {
        logger.debug({ err: error, server: server.address, question: key }, 'name server does not answer');
      }
    }
    logger.warn({ question: key, servers: servers.map(({ address }) => address) }, 'no name server answers');
    return undefined;
  }
}

/** What makes two questions the same: also whether signatures and long answers are welcome. */
function keyOf(query: Uint8Array): string | undefined {
  const question = questionOf(query);
  if (question === undefined) return undefined;
  const edns = ednsOf(query);
  const extras = edns === undefined ? 'plain' : `${edns.payloadBytes} ${edns.wantsSignatures}`;
  return `${question.name} ${question.type} ${question.class} ${extras}`;
}
