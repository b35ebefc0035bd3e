import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import type { Clock, Logger } from '@wherry/daemon';
import type { RunCommand } from '../run-command.ts';

/** Larger transactions go to a process of their own: the interactive one reads its line byte by byte. */
const INTERACTIVE_BYTES_MAX = 64 * 1024;
/** The interactive nft keeps every line in its history: it is replaced before that is worth memory. */
const TRANSACTIONS_PER_PROCESS_MAX = 10_000;
const ANSWER_MS_MAX = 10_000;
const ERROR_TEXT_MAX = 4_000;

/** nft refused a transaction; nothing of it is in force. */
export class NftError extends Error {
  override readonly name = 'NftError';
  constructor(output: string, commands: readonly string[]) {
    super(
      `nft refused ${commands.length} commands, the first "${commands[0] ?? ''}": ${output.slice(0, ERROR_TEXT_MAX)}`,
    );
  }
}

export interface NftSessionOptions {
  /** Put before `nft`, for example `ip netns exec x`. */
  readonly prefix: readonly string[];
  readonly run: RunCommand;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Runs transactions in one long-lived `nft -i`: starting nft costs 5 ms, a line to a running one a tenth. nft prints
 * nothing on success, so each transaction is followed by a word that is no command: nft's complaint about it on
 * standard error says that everything before has been done.
 */
export class NftSession {
  readonly #options: NftSessionOptions;
  #child: ChildProcessWithoutNullStreams | undefined;
  #transactions = 0;
  #interactive = true;
  #answer:
    | { readonly mark: string; readonly resolve: (text: string) => void; readonly reject: (e: Error) => void }
    | undefined;
  #output = '';

  constructor(options: NftSessionOptions) {
    this.#options = options;
  }

  /** Runs the commands as one atomic transaction. @throws NftError when nft refuses, Error when it cannot be asked */
  async transaction(commands: readonly string[]): Promise<void> {
    if (commands.length === 0) return;
    const line = commands.join('; ');
    if (!this.#interactive || line.length > INTERACTIVE_BYTES_MAX) return this.#oneShot(commands);
    const output = await this.#ask(line);
    if (output !== '') throw new NftError(output, commands);
  }

  close(): void {
    const child = this.#child;
    this.#child = undefined;
    child?.stdin.end();
  }

  async #oneShot(commands: readonly string[]): Promise<void> {
    const { code, stderr } = await this.#options.run(['nft', '-f', '-'], `${commands.join('\n')}\n`);
    if (code !== 0) throw new NftError(stderr, commands);
  }

  async #ask(line: string): Promise<string> {
    if (this.#answer !== undefined) throw new Error('Cannot start a transaction: another one is under way');
    if (this.#transactions >= TRANSACTIONS_PER_PROCESS_MAX) this.close();
    const child = this.#child ?? this.#start();
    this.#transactions++;
    const mark = `wherrydone${this.#transactions}`;
    const done = Promise.withResolvers<string>();
    this.#answer = { mark, resolve: done.resolve, reject: done.reject };
    const timer = this.#options.clock.setTimer(ANSWER_MS_MAX, () => {
      child.kill('SIGKILL');
      done.reject(new Error(`nft has not answered for ${ANSWER_MS_MAX} ms`));
    });
    try {
      child.stdin.write(`${line}\n${mark}\n`);
      return await done.promise;
    } finally {
      timer.cancel();
      this.#answer = undefined;
    }
  }

  #start(): ChildProcessWithoutNullStreams {
    // Without a home directory nft writes no history file when it ends.
    const [command = '', ...rest] = [...this.#options.prefix, 'env', 'HOME=/nonexistent', 'TERM=dumb', 'nft', '-i'];
    const child = spawn(command, rest, { stdio: 'pipe' });
    this.#child = child;
    this.#transactions = 0;
    this.#output = '';
    const ended = (reason: string) => {
      if (this.#child === child) this.#child = undefined;
      // An nft built without line editing has no interactive mode: each transaction then gets its own process.
      if (this.#transactions <= 1 && /not (compiled|supported)|without/i.test(this.#output)) {
        this.#interactive = false;
        this.#options.logger.warn({ output: this.#output }, 'nft has no interactive mode, changes will be slower');
      }
      this.#answer?.reject(new Error(`nft ended before it answered: ${reason} ${this.#output}`.trim()));
    };
    child.once('error', (error) => ended(error.message));
    child.once('close', (code) => ended(`exit code ${code ?? 'none'}`));
    child.stdin.on('error', () => child.stdin.destroy());
    child.stdout.resume();
    child.stderr.setEncoding('utf8');
    child.stderr.on('data', (text: string) => this.#read(text));
    return child;
  }

  #read(text: string): void {
    this.#output = (this.#output + text).slice(-INTERACTIVE_BYTES_MAX * 4);
    const mark = this.#answer?.mark;
    if (mark === undefined) return;
    const at = this.#output.indexOf(`\n${mark}\n`);
    if (at === -1) return;
    const before = this.#output.slice(0, at);
    this.#output = this.#output.slice(at + mark.length + 2);
    // The last line complains about the mark; a leading one of carets still belongs to the mark before.
    const lines = before.split('\n').slice(0, -1);
    this.#answer?.resolve(lines.join('\n').replace(/^[\s^~]*\n?/, ''));
  }
}
