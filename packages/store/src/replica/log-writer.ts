import type { Entry, HardState, Message, Output } from '../raft/types.ts';
import type { Wal, WalBatch } from '../wal/wal.ts';

export interface LogWriterEvents {
  /** Everything up to the output with this sequence is durable. */
  durable(sequence: number): void;
  send(message: Message): void;
  /** The disk failed: nobody knows what is on it, so the member must stop. */
  failed(error: unknown): void;
}

/**
 * Group commit: while one batch is being made durable, outputs gather for the next. Messages that promise something
 * leave when what they promise is on disk, and never before what was handed over earlier.
 */
export class LogWriter {
  readonly #wal: Wal;
  readonly #events: LogWriterEvents;
  #waiting: Output[] = [];
  #running: Promise<void> | undefined;
  #stopped = false;

  constructor(wal: Wal, events: LogWriterEvents) {
    this.#wal = wal;
    this.#events = events;
  }

  add(output: Output): void {
    if (this.#stopped) return;
    const nothingToWrite = !needsDisk(output);
    if (nothingToWrite && output.sendAfterPersist.length === 0) return;
    if (nothingToWrite && this.#running === undefined) {
      for (const message of output.sendAfterPersist) this.#events.send(message);
      return;
    }
    this.#waiting.push(output);
    this.#running ??= this.#run();
  }

  /** Finishes the write at hand; what waits behind it is dropped: nobody was told about it. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#waiting = [];
    await this.#running;
  }

  async #run(): Promise<void> {
    try {
      while (this.#waiting.length > 0) {
        const outputs = this.#takeBatch();
        if (outputs.some(needsDisk)) await this.#wal.append(mergeOutputs(outputs));
        if (this.#stopped) return;
        for (const output of outputs) for (const message of output.sendAfterPersist) this.#events.send(message);
        this.#events.durable((outputs.at(-1) as Output).sequence);
      }
    } catch (error) {
      this.#stopped = true;
      this.#events.failed(error);
    } finally {
      this.#running = undefined;
    }
  }

  /** Up to the next snapshot install, which must come first in its batch. */
  #takeBatch(): Output[] {
    const install = this.#waiting.findIndex((output, i) => i > 0 && output.install !== undefined);
    return this.#waiting.splice(0, install === -1 ? this.#waiting.length : install);
  }
}

function needsDisk(output: Output): boolean {
  return output.hardState !== undefined || output.entries.length > 0 || output.install !== undefined;
}

function mergeOutputs(outputs: readonly Output[]): WalBatch {
  const [first] = outputs;
  if (outputs.length === 1 && first !== undefined) return first;
  let hardState: HardState | undefined;
  const entries: Entry[] = [];
  for (const output of outputs) {
    if (output.hardState !== undefined) hardState = output.hardState;
    for (const entry of output.entries) entries.push(entry);
  }
  return { hardState, entries, install: first?.install };
}
