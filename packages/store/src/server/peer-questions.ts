import type { Clock, Timer } from '@wherry/daemon';

/** A question that takes longer has no answer: whoever asked has given up by then. */
const ANSWER_MS_MAX = 5_000;
const QUESTIONS_MAX = 10_000;

/** Questions to another member that wait for its answer, by number. */
export class PeerQuestions {
  readonly #clock: Clock;
  readonly #waiting = new Map<number, { readonly timer: Timer; readonly resolve: (answer?: Buffer) => void }>();
  #last = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @param send puts the question with its number on its way @returns undefined if no answer came */
  ask(send: (id: number) => void): Promise<Buffer | undefined> {
    if (this.#waiting.size >= QUESTIONS_MAX) return Promise.resolve(undefined);
    this.#last = (this.#last + 1) % 2 ** 32;
    const id = this.#last;
    return new Promise((resolve) => {
      const timer = this.#clock.setTimer(ANSWER_MS_MAX, () => this.#end(id));
      this.#waiting.set(id, { timer, resolve });
      send(id);
    });
  }

  answered(id: number, answer: Buffer): void {
    this.#end(id, answer);
  }

  /** The connection is gone, and every answer with it. */
  lost(): void {
    for (const id of [...this.#waiting.keys()]) this.#end(id);
  }

  #end(id: number, answer?: Buffer): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    waiting?.timer.cancel();
    waiting?.resolve(answer);
  }
}
