import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { resources } from '@wherry/api';
import { type ApiClient, createClient, loadKubeconfig } from '@wherry/client';

const NAMESPACE = 'default';

/** The administrator's client of a cluster; close it when done. */
export function clientOf(kubeconfig: string): ApiClient {
  const text = readFileSync(kubeconfig, 'utf8');
  return createClient(loadKubeconfig(text, (path) => readFileSync(path, 'utf8')).connection);
}

/** Writes one ConfigMap after another, several at a time, and remembers which the cluster said it has. */
export class AcknowledgedWriter {
  readonly acknowledged = new Set<string>();
  readonly failures: string[] = [];
  readonly #client: ApiClient;
  readonly #prefix: string;
  readonly #stop = new AbortController();
  readonly #done: Promise<unknown>;
  #lastMs = performance.now();
  #longestGapMs = 0;

  constructor(client: ApiClient, prefix: string, writers = 3) {
    this.#client = client;
    this.#prefix = prefix;
    this.#done = Promise.all(Array.from({ length: writers }, (_, writer) => this.#write(writer)));
  }

  /** Longest time without any acknowledgement since the last call. */
  takeLongestGapMs(): number {
    const gapMs = Math.round(Math.max(this.#longestGapMs, performance.now() - this.#lastMs));
    this.#longestGapMs = 0;
    return gapMs;
  }

  /** Waits for `more` further acknowledgements. */
  async progress(more: number): Promise<void> {
    for (const wanted = this.acknowledged.size + more; this.acknowledged.size < wanted; ) await sleep(5);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#done;
  }

  /** Names that were acknowledged and are not there. */
  async lost(): Promise<readonly string[]> {
    const { items } = await this.#client.list(resources.configmaps, { namespace: NAMESPACE });
    const present = new Set(items.map(({ metadata }) => metadata?.name));
    return [...this.acknowledged].filter((name) => !present.has(name));
  }

  async #write(writer: number): Promise<void> {
    for (let count = 0; !this.#stop.signal.aborted; count += 1) {
      const name = `${this.#prefix}-${writer}-${count}`;
      try {
        await this.#client.create(resources.configmaps, { metadata: { name } }, { namespace: NAMESPACE });
        this.acknowledged.add(name);
        const nowMs = performance.now();
        this.#longestGapMs = Math.max(this.#longestGapMs, nowMs - this.#lastMs);
        this.#lastMs = nowMs;
      } catch (error) {
        this.failures.push(error instanceof Error ? error.message : String(error));
        await sleep(10);
      }
    }
  }
}
