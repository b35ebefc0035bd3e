import { spawn } from 'node:child_process';

/** Output of a tool is read up to here; none of ours prints more. */
const OUTPUT_BYTES_MAX = 64 * 1024 * 1024;

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a tool of the node: argv, text for its standard input. */
export type RunCommand = (argv: readonly string[], input?: string) => Promise<CommandResult>;

/**
 * Runs tools on this machine.
 * @param prefix put before each command, for example `nsenter --net=…` or `ip netns exec x`
 */
export function commandRunner(prefix: readonly string[] = []): RunCommand {
  return async (argv, input = '') => {
    const [command = '', ...rest] = [...prefix, ...argv];
    const child = spawn(command, rest, { stdio: ['pipe', 'pipe', 'pipe'] });
    const done = Promise.withResolvers<number>();
    child.once('error', (cause) => done.reject(new Error(`Cannot run ${command}: ${cause.message}`, { cause })));
    child.once('close', (code) => done.resolve(code ?? -1));
    // A tool that ends early closes its input; its exit code tells why.
    child.stdin.on('error', () => child.stdin.destroy());
    child.stdin.end(input);
    const [code, stdout, stderr] = await Promise.all([done.promise, readAll(child.stdout), readAll(child.stderr)]);
    return { code, stdout, stderr };
  };
}

async function readAll(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of stream) {
    sizeBytes += chunk.byteLength;
    if (sizeBytes > OUTPUT_BYTES_MAX) throw new Error(`A command printed more than ${OUTPUT_BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
