import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../harness/eventually.ts';
import type { Experiment } from './experiment.ts';
import { clusterHome, clusterName } from './place.ts';

/** What daemons give themselves. */
export const GRACE_MS = 10_000;

/** How a daemon ended after SIGTERM. */
export interface Stopped {
  readonly exitCode: number | null;
  readonly tookMs: number;
  /** What it logged after the signal. */
  readonly said: readonly { readonly msg?: string; readonly reason?: string; readonly code?: number }[];
}

const folder = join(clusterHome, clusterName);
const logOf = (name: string): string => join(folder, 'logs', `${name}.jsonl`);

/**
 * Ends a daemon with SIGTERM, leaves it away for a while, and starts it again just as it was, as a child of this process
 * so that its exit code can be seen. `whileAway` runs when it is gone.
 */
export async function stopAndResume(
  experiment: Experiment,
  name: string,
  whileAway: () => Promise<void>,
): Promise<Stopped> {
  const { daemons, supervisor, cluster } = experiment;
  supervisor.hold(name);
  const { command } = JSON.parse(readFileSync(join(folder, 'run', `${name}.json`), 'utf8'));
  process.kill(daemons.named(name).pid, 'SIGTERM');
  await eventually(`${name} ends`, () => {
    if (daemons.named(name).state !== 'gone') throw new Error(`${name} runs on`);
  });
  await whileAway();
  const [program, ...args] = command as readonly string[];
  const log = openSync(logOf(name), 'a');
  const child = spawn(program ?? '', args, { cwd: folder, stdio: ['ignore', log, log] });
  try {
    await eventually(`${name} is well again`, async () => {
      if (!(await daemons.isWell(name))) throw new Error(`${name} is not well`);
    });
    // Not before it is at work.
    await sleep(1_000);
    const sizeBefore = statSync(logOf(name)).size;
    const exited = once(child, 'exit');
    const startMs = performance.now();
    child.kill('SIGTERM');
    const [exitCode] = (await exited) as [number | null];
    const tookMs = Math.round(performance.now() - startMs);
    const lines = readFileSync(logOf(name)).subarray(sizeBefore).toString('utf8').trim().split('\n');
    return { exitCode, tookMs, said: lines.map((line) => JSON.parse(line)) };
  } finally {
    child.kill('SIGKILL');
    await cluster.wherryOk(['daemon', 'start', name]);
    supervisor.release(name);
  }
}
