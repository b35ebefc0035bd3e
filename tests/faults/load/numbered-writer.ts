import { setTimeout as sleep } from 'node:timers/promises';
import { type ConfigMap, isNotFound, resources } from '@wherry/api';
import type { ApiClient } from '@wherry/client';

/** Numbers of one object: how far the cluster said it had written, and how far anything was asked for. */
interface Numbers {
  acknowledged: number;
  asked: number;
}

export interface WriterOptions {
  readonly client: ApiClient;
  readonly namespace: string;
  readonly writers?: number;
  /** Between two writes of one writer. */
  readonly everyMs?: number;
}

/** Updates of one object before the next is created. */
const UPDATES = 9;
const ANSWER_MS_MAX = 15_000;

/**
 * Creates ConfigMaps and counts up in each. A write whose answer was lost may have happened or not: the object is read
 * before anything else is asked of it, as a careful client does.
 */
export class NumberedWriter {
  readonly #options: Required<WriterOptions>;
  readonly #stop = new AbortController();
  readonly #objects = new Map<string, Numbers>();
  readonly #ackTimesMs: number[] = [];
  readonly #failures = new Map<string, number>();
  readonly #problems: string[] = [];
  #done: Promise<unknown> | undefined;

  constructor(options: WriterOptions) {
    this.#options = { writers: 3, everyMs: 80, ...options };
  }

  get acknowledged(): number {
    return this.#ackTimesMs.length;
  }

  /** Messages of writes without a good answer, and how often. */
  get failures(): ReadonlyMap<string, number> {
    return this.#failures;
  }

  start(): void {
    this.#done = Promise.all(Array.from({ length: this.#options.writers }, (_, writer) => this.#write(writer)));
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#done;
  }

  /** Longest time without an acknowledgement that touches this span of time. */
  longestGapMs(fromMs: number, toMs: number): number {
    const times = this.#ackTimesMs;
    const first = times.findLastIndex((time) => time <= fromMs);
    let longest = 0;
    for (let i = Math.max(0, first); i < times.length; i++) {
      const [at = 0, next = Date.now()] = [times[i], times[i + 1]];
      if (at >= toMs) break;
      longest = Math.max(longest, next - at);
    }
    return longest;
  }

  /** Reads everything back. @returns what is not as it was acknowledged, or as nobody ever asked for */
  async problems(): Promise<readonly string[]> {
    const { client, namespace } = this.#options;
    const { items } = await client.list(resources.configmaps, { namespace });
    const present = new Map(items.map((item) => [item.metadata?.name ?? '', item]));
    const found = [...this.#objects].flatMap(([name, { acknowledged, asked }]) => {
      const item = present.get(name);
      if (item === undefined) return acknowledged >= 0 ? [`${name} was acknowledged and is not there`] : [];
      const number = numberOf(item);
      return number >= acknowledged && number <= asked
        ? []
        : [`${name} has ${number}, acknowledged was ${acknowledged}, asked for ${asked}`];
    });
    return [...this.#problems, ...found];
  }

  async #write(writer: number): Promise<void> {
    for (let count = 0; !this.#stop.signal.aborted; count++) await this.#writeObject(`writer-${writer}-${count}`);
  }

  async #writeObject(name: string): Promise<void> {
    const { namespace, everyMs } = this.#options;
    const numbers: Numbers = { acknowledged: -1, asked: -1 };
    this.#objects.set(name, numbers);
    let known: ConfigMap | undefined;
    while (!this.#stop.signal.aborted && numbers.acknowledged < UPDATES) {
      const before = known;
      known = await this.#once(name, numbers, async (client, signal) =>
        before === undefined
          ? client.create(resources.configmaps, { metadata: { name }, data: { number: '0' } }, { namespace, signal })
          : client.update(resources.configmaps, { ...before, data: { number: String(numbers.asked) } }, { signal }),
      );
      await sleep(everyMs);
    }
  }

  /** One write. @returns the object as it is now; undefined when it is not there */
  async #once(
    name: string,
    numbers: Numbers,
    write: (client: ApiClient, signal: AbortSignal) => Promise<ConfigMap>,
  ): Promise<ConfigMap | undefined> {
    const { client } = this.#options;
    numbers.asked = numbers.acknowledged + 1;
    try {
      const written = await write(client, AbortSignal.timeout(ANSWER_MS_MAX));
      this.#ackTimesMs.push(Date.now());
      this.#took(name, numbers, written);
      return written;
    } catch (error) {
      const message = (error instanceof Error ? error.message : String(error)).replace(/writer-\d+-\d+/g, 'writer-…');
      this.#failures.set(message, (this.#failures.get(message) ?? 0) + 1);
      const found = await this.#read(name);
      if (found !== undefined) this.#took(name, numbers, found);
      else if (numbers.acknowledged >= 0 && !this.#stop.signal.aborted)
        this.#problems.push(`${name} was acknowledged and could not be found a moment later`);
      return found;
    }
  }

  /** What was read counts as acknowledged too: a consistent read may not be taken back either. */
  #took(name: string, numbers: Numbers, object: ConfigMap): void {
    const number = numberOf(object);
    if (number < numbers.acknowledged) this.#problems.push(`${name} went from ${numbers.acknowledged} to ${number}`);
    numbers.acknowledged = number;
  }

  async #read(name: string): Promise<ConfigMap | undefined> {
    const { client, namespace } = this.#options;
    while (!this.#stop.signal.aborted) {
      try {
        return await client.get(resources.configmaps, name, { namespace, signal: AbortSignal.timeout(ANSWER_MS_MAX) });
      } catch (error) {
        if (isNotFound(error)) return undefined;
        await sleep(20);
      }
    }
    return undefined;
  }
}

const numberOf = ({ data }: ConfigMap): number => Number(data?.['number'] ?? Number.NaN);
