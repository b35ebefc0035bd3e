// Runs the few programs of the host that the kubelet needs: ip, nft, nsenter, mount.
import { spawn } from 'node:child_process';

export interface CommandOptions {
  readonly stdin?: string;
  /** @default 10,000 */
  readonly timeoutMs?: number;
}

/** A program failed; its words are in the message. */
export class CommandError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'CommandError';
  }
}

export type RunCommand = (program: string, args: readonly string[], options?: CommandOptions) => Promise<string>;

const outputBytesMax = 4 << 20;
const timeoutMsDefault = 10_000;

/** Runs to the end and returns standard output. @throws CommandError unless it exits with 0 */
export const runCommand: RunCommand = (program, args, options = {}) =>
  new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      timeout: options.timeoutMs ?? timeoutMsDefault,
    });
    const what = `${program} ${args.slice(0, 4).join(' ')}`.slice(0, 200);
    const output: Buffer[] = [];
    const errors: Buffer[] = [];
    let size = 0;
    child.stdout.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= outputBytesMax) output.push(chunk);
    });
    child.stderr.on('data', (chunk: Buffer) => void (errors.length < 64 && errors.push(chunk)));
    child.on('error', (cause) => reject(new CommandError(`Cannot run ${what}: ${cause.message}`, { cause })));
    child.on('close', (code, signal) => {
      if (code === 0) {
        resolve(Buffer.concat(output).toString('utf8'));
        return;
      }
      const words = Buffer.concat(errors).toString('utf8').trim();
      reject(new CommandError(`${what} failed (${signal ?? `exit code ${code}`}): ${words}`));
    });
    // A program that ends without reading its input is judged by its exit code.
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.stdin ?? '');
  });
