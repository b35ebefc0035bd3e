import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { systemClock, systemRandom } from '@wherry/daemon';
import type { Context } from './context.ts';
import { describeError, Failure, hasCode } from './failure.ts';
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
  await createProgram(context).parseAsync(process.argv);
} catch (error) {
  if (interruption.signal.aborted) {
    terminal.err('wherry: interrupted');
    process.exitCode = INTERRUPTED;
  } else {
    const isRefusal = error instanceof Error && error.name === 'StatusError';
    const isUnreachable = unreachable.some((code) => hasCode(error, code));
    // A system call's own words ("EACCES: permission denied, mkdir …") say what is wrong better than a stack would.
    const isSystemError = error instanceof Error && 'syscall' in error;
    const isDefect = !(error instanceof Failure) && !isRefusal && !isUnreachable && !isSystemError;
    if (isRefusal) terminal.err(refusalText(error));
    else if (isUnreachable)
      terminal.err(`wherry: Cannot reach the API server: ${describeError(error)}. Does it run? See "wherry status"`);
    else terminal.err(`wherry: ${describeError(error)}`);
    if (isDefect && error instanceof Error && error.stack !== undefined) terminal.err(error.stack);
    process.exitCode = 1;
  }
}

/** A refusal of the API server, in kubectl's words. */
function refusalText(error: Error & { readonly reason?: unknown }): string {
  const reason = typeof error.reason === 'string' && error.reason !== '' ? ` (${error.reason})` : '';
  return `Error from server${reason}: ${error.message}`;
}
