import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { systemClock, systemRandom } from '@wherry/daemon';
import type { Context } from './context.ts';
import { describeError, Failure, hasCode, unixSocketOf } from './failure.ts';
import { errorText, isRefusal } from './kube/error-text.ts';
import { VerbError } from './kube/verb-error.ts';
import { readableWords } from './kube/words.ts';
import { createProgram } from './program.ts';
import { processTerminal } from './terminal/terminal.ts';

/** The shell's convention for a program that Ctrl-C ended. */
const INTERRUPTED = 130;

/** What a connection fails with when nobody listens at its other end. */
const unreachable = [
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'ETIMEDOUT',
  'UND_ERR_SOCKET',
];

const interruption = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.on(name, () => {
    if (interruption.signal.aborted) process.exit(INTERRUPTED);
    interruption.abort(new Failure('interrupted'));
  });
}

const terminal = processTerminal();
const context: Context = {
  // Both this file and its bundle are three folders below the root.
  root: resolve(import.meta.dirname, '../../..'),
  home: resolve(process.env['WHERRY_HOME'] ?? join(homedir(), '.wherry')),
  environment: process.env,
  terminal,
  clock: systemClock,
  random: systemRandom,
  signal: interruption.signal,
  userId: process.getuid?.(),
  platform: process.platform,
  pid: process.pid,
  node: process.execPath,
};

try {
  const program = createProgram(context);
  await program.parseAsync(readableWords(process.argv.slice(2), program), { from: 'user' });
} catch (error) {
  if (interruption.signal.aborted) {
    terminal.err('wherry: interrupted');
    process.exitCode = INTERRUPTED;
  } else {
    const isUnreachable = unreachable.some((code) => hasCode(error, code));
    const isSpoken = isRefusal(error) || error instanceof VerbError;
    const engine = unixSocketOf(error);
    const isDefect = !(error instanceof Failure) && !isSpoken && !isUnreachable && engine === undefined;
    if (isSpoken) terminal.err(errorText(error));
    else if (engine !== undefined)
      terminal.err(`wherry: Cannot reach the Docker engine at ${engine}: ${describeError(error)}. See "wherry engine"`);
    else if (isUnreachable)
      terminal.err(`wherry: Cannot reach the API server: ${describeError(error)}. Does it run? See "wherry status"`);
    else terminal.err(`wherry: ${describeError(error)}`);
    if (isDefect && error instanceof Error && error.stack !== undefined) terminal.err(error.stack);
    process.exitCode = 1;
  }
}
