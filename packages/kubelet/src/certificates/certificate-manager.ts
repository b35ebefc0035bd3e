import type { ApiClient } from '@wherry/client';
import { type Clock, jitter, type Logger, pause, type Random, rfc3339 } from '@wherry/daemon';
import { type CertificateTemplate, renewAtMs } from '../plan/certificate-rotation.ts';
import type { CertificateStore } from './certificate-store.ts';
import { type KnownPair, readPair } from './pair.ts';
import { requestCertificate } from './signing.ts';

export interface CertificateManagerOptions {
  /** For logs: `client` or `server`. */
  readonly name: string;
  readonly store: CertificateStore;
  readonly template: CertificateTemplate;
  readonly signerName: string;
  readonly usages: readonly string[];
  /**
   * Runs `work` with a client that may ask for a certificate.
   * @param current the certificate in use, unless it has expired
   */
  readonly asking: <T>(current: KnownPair | undefined, work: (client: ApiClient) => Promise<T>) => Promise<T>;
  readonly onChange: (pair: KnownPair) => void;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** The system's timers take no more than 24 days, and its wall clock may jump: look again at least this often. */
const SLEEP_MS_MAX = 3_600_000;
const RETRY_MS_MIN = 2_000;
const RETRY_MS_MAX = 32_000;
/** However short certificates live: a signer is not asked more often. */
const BETWEEN_RENEWALS_MS = 1_000;
/** Tells nodes that fail together apart. */
const RETRY_JITTER = 0.1;

/** Keeps one certificate of the node: asks for the first one, and for the next before the one in use ends. */
export class CertificateManager {
  readonly #options: CertificateManagerOptions;
  #current: KnownPair | undefined;
  #renewAtMs: number;

  /** @param current what is in use already; it is renewed in time if it fits, and at once if not */
  constructor(options: CertificateManagerOptions, current: KnownPair | undefined) {
    this.#options = options;
    this.#current = current;
    this.#renewAtMs = renewAtMs(current?.facts, options.template, options.random.next());
  }

  /** Renews again and again, until the signal. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    while (!signal.aborted) {
      const leftMs = this.#renewAtMs - clock.now();
      if (leftMs > 0) await pause(clock, Math.min(leftMs, SLEEP_MS_MAX), signal);
      else await this.obtain(signal);
    }
  }

  /** Asks until there is a certificate; a server that is away, or a person who must approve, may take their time. */
  async obtain(signal: AbortSignal): Promise<void> {
    const { name, clock, random, logger } = this.#options;
    for (let waitMs = RETRY_MS_MIN; !signal.aborted; waitMs = Math.min(waitMs * 2, RETRY_MS_MAX)) {
      try {
        await this.#renew(signal);
        return;
      } catch (error) {
        if (signal.aborted) return;
        logger.warn({ err: error, certificate: name }, 'cannot get a certificate, trying again');
      }
      await pause(clock, jitter(random, waitMs, RETRY_JITTER), signal);
    }
  }

  async #renew(signal: AbortSignal): Promise<void> {
    const { name, store, template, signerName, usages, asking, onChange, clock, random, logger } = this.#options;
    const { newRequest } = await import('./new-pair.ts');
    const { request, key } = await newRequest(template);
    const usable = this.#current !== undefined && this.#current.facts.notAfterMs > clock.now();
    const wish = { request, signerName, usages };
    const cert = await asking(usable ? this.#current : undefined, (client) =>
      requestCertificate(client, wish, clock, signal),
    );
    const pair = readPair({ cert, key });
    const renewAt = renewAtMs(pair.facts, template, random.next());
    // A signer that gives something else than was asked for would otherwise be asked without end.
    if (renewAt === Number.NEGATIVE_INFINITY) throw new Error('the certificate is not what was asked for');
    await store.update(pair);
    this.#current = pair;
    this.#renewAtMs = Math.max(renewAt, clock.now() + BETWEEN_RENEWALS_MS);
    const [until, next] = [rfc3339(pair.facts.notAfterMs), rfc3339(this.#renewAtMs)];
    logger.info({ certificate: name, until, renewAt: next }, 'got a certificate');
    onChange(pair);
  }
}
