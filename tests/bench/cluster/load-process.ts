import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export interface LoadResult {
  readonly sent: number;
  readonly unanswered: number;
  /** How many requests failed, by reason. */
  readonly failures: Readonly<Record<string, number>>;
}

/** A client beside the bench, so that what the bench does in between does not delay requests. */
export class LoadProcess {
  readonly #child: ChildProcess;
  readonly #lines: Interface;
  readonly #ended: Promise<never>;

  private constructor(child: ChildProcess, lines: Interface) {
    this.#child = child;
    this.#lines = lines;
    this.#ended = once(child, 'exit').then(([code]) => {
      throw new Error(`The client ended with ${code}`);
    });
    // Whoever waits for a word hears of it; an end after the last one is as it should be.
    this.#ended.catch(() => undefined);
  }

  /** @param enter what the client is run by, to be in another network namespace */
  static async start(
    host: string,
    port: number,
    perSecond: number,
    enter: readonly string[] = [],
  ): Promise<LoadProcess> {
    const program = fileURLToPath(new URL('./load.ts', import.meta.url));
    const [command = '', ...args] = [...enter, process.execPath, program, host, String(port), String(perSecond)];
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const lines = createInterface({ input: child.stdout });
    const load = new LoadProcess(child, lines);
    await Promise.race([once(lines, 'line'), load.#ended]);
    return load;
  }

  async stop(): Promise<LoadResult> {
    const said = once(this.#lines, 'line');
    this.#child.kill('SIGTERM');
    return JSON.parse(String(await Promise.race([said, this.#ended])));
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }
}

export const failed = ({ unanswered, failures }: LoadResult): number =>
  unanswered + Object.values(failures).reduce((sum, count) => sum + count, 0);
