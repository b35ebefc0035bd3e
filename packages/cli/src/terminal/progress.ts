import type { Clock } from '@wherry/daemon';
import type { Terminal } from './terminal.ts';

/** Shows steps that run at the same time: a line when one is done, and the open ones on an interactive terminal. */
export class Progress {
  readonly #terminal: Terminal;
  readonly #clock: Clock;
  readonly #open = new Set<string>();

  constructor(terminal: Terminal, clock: Clock) {
    this.#terminal = terminal;
    this.#clock = clock;
  }

  /** Runs `work` as the step `title`. Its text, when it returns one, says what came of it; `undefined` says nothing. */
  async step<T>(title: string, work: () => Promise<T>, outcome: (result: T) => string | undefined): Promise<T> {
    const startedMs = this.#clock.monotonicMs();
    this.#open.add(title);
    this.#show();
    try {
      const result = await work();
      const text = outcome(result);
      const seconds = ((this.#clock.monotonicMs() - startedMs) / 1000).toFixed(1);
      if (text !== undefined) this.#terminal.err(`  ✓ ${text} (${seconds} s)`);
      return result;
    } finally {
      this.#open.delete(title);
      this.#show();
    }
  }

  /** A changing detail of what is being waited for. */
  detail(text: string): void {
    this.#terminal.status(`  … ${text}`);
  }

  /** A line that stays, for what takes long or what should be known. */
  note(text: string): void {
    this.#terminal.err(`  · ${text}`);
    this.#show();
  }

  #show(): void {
    this.#terminal.status(this.#open.size === 0 ? '' : `  … ${[...this.#open].join(', ')}`);
  }
}
