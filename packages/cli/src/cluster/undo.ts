import { describeError } from '../failure.ts';

/** What a command made so far, to be taken back in reverse order when it fails. */
export class Undo {
  readonly #steps: { readonly what: string; readonly work: () => Promise<void> }[] = [];

  add(what: string, work: () => Promise<void>): void {
    this.#steps.push({ what, work });
  }

  /** Takes everything back; what cannot be is reported, and does not keep the rest. */
  async run(report: (problem: string) => void): Promise<void> {
    for (const { what, work } of this.#steps.reverse()) {
      try {
        await work();
      } catch (error) {
        report(`Cannot take back ${what}: ${describeError(error)}`);
      }
    }
  }
}
