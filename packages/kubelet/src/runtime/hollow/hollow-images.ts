// Images of one hollow node: names only.
import type { Clock } from '@wherry/daemon';
import { type ImageFacts, RuntimeError } from '../port.ts';

const imageSizeBytes = 10 << 20;

export class HollowImages {
  readonly #clock: Clock;
  readonly #missing: ReadonlySet<string>;
  readonly #present = new Map<string, ImageFacts>();

  constructor(clock: Clock, missing: ReadonlySet<string> = new Set()) {
    this.#clock = clock;
    this.#missing = missing;
  }

  get(reference: string): ImageFacts | undefined {
    return this.#present.get(reference);
  }

  list(): readonly ImageFacts[] {
    return [...this.#present.values()];
  }

  add(reference: string): void {
    if (this.#present.has(reference)) return;
    const id = `hollow:${reference}`;
    this.#present.set(reference, { id, reference: id, names: [reference], sizeBytes: imageSizeBytes, user: '' });
  }

  /** @throws RuntimeError */
  async pull(reference: string, ms: number, failure: string | undefined, signal?: AbortSignal): Promise<void> {
    if (ms > 0) await this.#clock.sleep(ms, signal);
    if (failure !== undefined) throw new RuntimeError('refused', failure);
    if (this.#missing.has(reference)) {
      throw new RuntimeError('refused', `manifest for ${reference} not found: manifest unknown`);
    }
    this.add(reference);
  }
}
