// Runs named steps one after the other, showing what each took; a failing step does not hide the later ones' result.
import { spawnSync } from 'node:child_process';
import { node24, root } from './node24.mjs';

/** @returns {{ok: boolean, output: string}} the step's result; its output is also shown */
export function runStep(name, command, args, { capture = false, environment = {}, timeoutMs } = {}) {
  const started = Date.now();
  process.stdout.write(`\n=== ${name}\n`);
  const done = spawnSync(command, args, {
    cwd: root,
    stdio: capture ? ['ignore', 'pipe', 'inherit'] : ['ignore', 'inherit', 'inherit'],
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
    env: { ...process.env, ...environment },
    ...(timeoutMs === undefined ? {} : { timeout: timeoutMs, killSignal: 'SIGKILL' }),
  });
  if (capture) process.stdout.write(done.stdout ?? '');
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  const ok = done.status === 0;
  process.stdout.write(
    `=== ${name}: ${ok ? 'ok' : `FAILED (${done.error?.message ?? `exit ${done.status ?? done.signal}`})`} in ${seconds} s\n`,
  );
  return { ok, output: done.stdout ?? '' };
}

export const tool = (name) => `node_modules/.bin/${name}`;

/** Runs a tool written in JavaScript under Node 24. */
export function node24Step(name, args, options) {
  return runStep(name, node24(), args, options);
}
