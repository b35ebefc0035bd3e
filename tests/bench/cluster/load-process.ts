import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';

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

  private constructor(child: ChildProcess, lines: Interface) {
    this.#child = child;
    this.#lines = lines;
  }

  /** @param enter what the client is run by, to be in another network namespace */
  static async start(
    host: string,
    port: number,
    perSecond: number,
    enter: readonly string[] = [],
  ): Promise<LoadProcess> {
    const program = join(import.meta.dirname, 'load.ts');
    const [command = '', ...args] = [...enter, process.execPath, program, host, String(port), String(perSecond)];
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const lines = createInterface({ input: child.stdout });
    await once(lines, 'line');
    return new LoadProcess(child, lines);
  }

  async stop(): Promise<LoadResult> {
    const said = once(this.#lines, 'line');
    this.#child.kill('SIGTERM');
    return JSON.parse(String(await said));
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }
}

export const failed = ({ unanswered, failures }: LoadResult): number =>
  unanswered + Object.values(failures).reduce((sum, count) => sum + count, 0);
