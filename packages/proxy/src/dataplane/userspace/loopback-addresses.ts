import type { RunCommand } from '../run-command.ts';

/** Marks the addresses that are ours, so that an earlier run's are found again. */
const LABEL = 'lo:wherry';

/** Gives the node the virtual addresses of services, so that packets to them are delivered here. */
export class LoopbackAddresses {
  readonly #run: RunCommand;
  #held: ReadonlySet<string> = new Set();

  constructor(run: RunCommand) {
    this.#run = run;
  }

  /** Makes exactly these addresses ours. @returns why some could not be had, if so */
  async hold(wanted: ReadonlySet<string>): Promise<string | undefined> {
    const commands = [
      ...[...this.#held].filter((ip) => !wanted.has(ip)).map((ip) => `addr del ${ip}/32 dev lo`),
      ...[...wanted].filter((ip) => !this.#held.has(ip)).map((ip) => `addr add ${ip}/32 dev lo label ${LABEL}`),
    ];
    if (commands.length === 0) return undefined;
    const { code, stderr } = await this.#run(['ip', '-force', '-batch', '-'], `${commands.join('\n')}\n`);
    this.#held = await this.#list();
    const missing = [...wanted].filter((ip) => !this.#held.has(ip));
    return missing.length === 0 ? undefined : `ip exited with ${code}: ${stderr.trim().slice(0, 500)}`;
  }

  /** Learns what an earlier run left. */
  async discover(): Promise<void> {
    this.#held = await this.#list();
  }

  has(ip: string): boolean {
    return this.#held.has(ip);
  }

  async #list(): Promise<ReadonlySet<string>> {
    const { stdout } = await this.#run(['ip', '-4', '-o', 'addr', 'show', 'dev', 'lo', 'label', LABEL]);
    return new Set([...stdout.matchAll(/ inet (\d+\.\d+\.\d+\.\d+)/g)].map(([, ip = '']) => ip));
  }
}
