import type { Clock } from '@wherry/daemon';
import type { EndpointChooser } from './endpoint-chooser.ts';

/** One address and port that a service answers on. */
export interface Door {
  /** Resolves when it listens. @throws when the address cannot be had */
  open(): Promise<void>;
  /** The rule's endpoints have changed. */
  refresh(): void;
  /** Takes no new clients. What is under way goes on. */
  close(): void;
}

export interface DoorOptions {
  readonly address: string;
  readonly port: number;
  readonly kind: 'internal' | 'external';
  readonly chooser: EndpointChooser;
  readonly clock: Clock;
  readonly load: Load;
}

/** Counts what is under way in all doors of a data plane, and ends it on shutdown. */
export class Load {
  readonly #max: number;
  readonly #open = new Set<() => void>();

  constructor(max: number) {
    this.#max = max;
  }

  get full(): boolean {
    return this.#open.size >= this.#max;
  }

  /** @param end cuts it off @returns takes it out again */
  add(end: () => void): () => void {
    this.#open.add(end);
    return () => void this.#open.delete(end);
  }

  endAll(): void {
    for (const end of [...this.#open]) end();
  }
}
