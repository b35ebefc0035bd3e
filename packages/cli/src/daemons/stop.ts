import type { ClusterLayout } from '../cluster/layout.ts';
import type { Context } from '../context.ts';
import { findOrphans } from './orphans.ts';
import { signalProcess, stateOf } from './process-identity.ts';
import { type ObservedDaemon, removeRecord } from './records.ts';
import type { DaemonKind } from './spec.ts';

/** A little longer than daemons give themselves; what still runs then is killed. */
export const STOP_MS_MAX = 12_000;
const POLL_MS = 10;

/** Clients before their server: leases are handed back and last statuses are written while the API still answers. */
const phases: readonly (readonly DaemonKind[])[] = [
  ['kubelet', 'hollow-nodes', 'proxy', 'dns', 'scheduler', 'controller-manager'],
  ['apiserver', 'balancer'],
  ['store'],
];

/** Ends daemons in order and forgets them. @returns names of those that had to be killed */
export async function stopDaemons(
  context: Context,
  layout: ClusterLayout,
  daemons: readonly ObservedDaemon[],
): Promise<readonly string[]> {
  const killed: string[] = [];
  for (const kinds of phases) {
    const now = daemons.filter((daemon) => kinds.includes(daemon.record.spec.kind));
    await Promise.all(
      now.map(async (daemon) => {
        if (!(await stopDaemon(context, daemon))) killed.push(daemon.record.spec.name);
        await removeRecord(layout, daemon.record.spec.name);
      }),
    );
  }
  return killed;
}

/** @returns false when it had to be killed */
export async function stopDaemon(context: Context, { record }: ObservedDaemon): Promise<boolean> {
  if (!signalProcess(record.process, 'SIGTERM')) return true;
  // A paused process takes no signal before it goes on.
  signalProcess(record.process, 'SIGCONT');
  if (await ended(context, record.process, STOP_MS_MAX)) return true;
  await killDaemon(context, { record, state: 'running' });
  return false;
}

/** Ends a daemon as a crash would: without a chance to say goodbye. */
export async function killDaemon(context: Context, { record }: ObservedDaemon): Promise<void> {
  if (signalProcess(record.process, 'SIGKILL')) await ended(context, record.process, STOP_MS_MAX);
}

/** Ends what `findOrphans` finds, without a chance to say goodbye: nobody knows what state it is in. */
export async function endOrphans(context: Context, layout: ClusterLayout): Promise<void> {
  await Promise.all(
    findOrphans(layout).map(async (identity) => {
      if (signalProcess(identity, 'SIGKILL')) await ended(context, identity, STOP_MS_MAX);
    }),
  );
}

async function ended(context: Context, identity: ObservedDaemon['record']['process'], msMax: number): Promise<boolean> {
  const deadlineMs = context.clock.monotonicMs() + msMax;
  while (stateOf(identity) !== 'gone') {
    if (context.clock.monotonicMs() > deadlineMs) return false;
    await context.clock.sleep(POLL_MS);
  }
  return true;
}
