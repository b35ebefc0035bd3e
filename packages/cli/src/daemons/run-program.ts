import { spawn } from 'node:child_process';
import { Failure } from '../failure.ts';

/** Of a failing program's output, this much is shown. */
const OUTPUT_CHARACTERS_MAX = 4000;

/**
 * Runs a program to its end.
 * @returns what it wrote to standard output
 * @throws Failure with the end of its output when it fails; the signal's reason when aborted
 */
export async function runProgram(
  command: string,
  args: readonly string[],
  options: { readonly environment: Readonly<Record<string, string | undefined>>; readonly signal?: AbortSignal },
): Promise<string> {
  const child = spawn(command, args, {
    env: { ...options.environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  let out = '';
  let all = '';
  const keep = (text: string): void => {
    all = (all + text).slice(-OUTPUT_CHARACTERS_MAX);
  };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
    keep(text);
  });
  child.stderr.setEncoding('utf8').on('data', keep);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0)
    throw new Failure(`"${[command, ...args].join(' ')}" failed with ${code ?? 'a signal'}: ${all.trim()}`);
  return out;
}
