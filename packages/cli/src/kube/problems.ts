import type { Context } from '../context.ts';
import { errorText, isRefusal } from './error-text.ts';
import { VerbError } from './verb-error.ts';

/** A verb on several objects goes on after one was refused, and fails at its end. */
export class Problems {
  readonly #context: Context;

  constructor(context: Context) {
    this.#context = context;
  }

  /** @returns undefined when the work was refused: that has been said already */
  async attempt<T>(work: () => Promise<T>, doing?: string | (() => string)): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      if (!isRefusal(error) && !(error instanceof VerbError)) throw error;
      this.#context.terminal.err(errorText(error, typeof doing === 'function' ? doing() : doing));
      process.exitCode = 1;
      return undefined;
    }
  }
}
