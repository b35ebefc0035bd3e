import type { Logger } from '../logging/logger.ts';

/** Why a scope's signal was aborted when nothing went wrong. */
export class ScopeClosed extends Error {
  constructor(name: string) {
    super(`Scope "${name}" is closed`);
    this.name = 'ScopeClosed';
  }
}

/** What to do when background work fails: by default it is logged and the scope lives on. */
export type OnFailure = (name: string, error: unknown) => void;

/**
 * Owns background work: whatever runs in it is aborted, awaited and reported when it closes. Children close before
 * their parent, disposers run last in reverse order.
 */
export class Scope {
  readonly #name: string;
  readonly #logger: Logger;
  readonly #onFailure: OnFailure;
  readonly #controller = new AbortController();
  readonly #running = new Set<Promise<void>>();
  readonly #children = new Set<Scope>();
  readonly #disposers: (() => void | Promise<void>)[] = [];
  #closing: Promise<void> | undefined;

  constructor(name: string, logger: Logger, onFailure?: OnFailure) {
    this.#name = name;
    this.#logger = logger;
    this.#onFailure =
      onFailure ?? ((work, error) => this.#logger.error({ err: error, scope: name, work }, 'background work failed'));
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Starts `work` now. Its failure goes to `onFailure`, unless the scope is closing already. */
  run(work: string, fn: (signal: AbortSignal) => Promise<void> | void): void {
    if (this.signal.aborted) return;
    const done = (async () => {
      try {
        await fn(this.signal);
      } catch (error) {
        if (!this.signal.aborted) this.#onFailure(work, error);
      }
    })();
    this.#running.add(done);
    void done.finally(() => this.#running.delete(done));
  }

  /** A scope that closes with this one, or earlier. */
  child(name: string, onFailure?: OnFailure): Scope {
    const child = new Scope(`${this.#name}/${name}`, this.#logger, onFailure ?? this.#onFailure);
    if (this.signal.aborted) void child.close();
    this.#children.add(child);
    child.onClose(() => void this.#children.delete(child));
    return child;
  }

  /** Runs `fn` when the scope closes, after its work has ended, last registered first. */
  onClose(fn: () => void | Promise<void>): void {
    this.#disposers.push(fn);
  }

  /** Aborts everything and waits for it. Closing again waits for the same end. */
  close(reason: unknown = new ScopeClosed(this.#name)): Promise<void> {
    this.#closing ??= this.#close(reason);
    return this.#closing;
  }

  async #close(reason: unknown): Promise<void> {
    this.#controller.abort(reason);
    await Promise.all([...this.#children].map((child) => child.close(reason)));
    await Promise.all(this.#running);
    for (const dispose of this.#disposers.reverse()) {
      try {
        await dispose();
      } catch (error) {
        this.#logger.error({ err: error, scope: this.#name }, 'closing failed');
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
