import type { Context } from '../context.ts';
import { type DaemonAction, planDaemons } from '../daemons/plan.ts';
import { signalProcess } from '../daemons/process-identity.ts';
import { observeDaemons } from '../daemons/records.ts';
import type { DaemonSpec } from '../daemons/spec.ts';
import { daemonProgram, desiredDaemon, startDaemon } from '../daemons/start.ts';
import { stopDaemon, stopDaemons } from '../daemons/stop.ts';
import type { ClusterLayout } from './layout.ts';
import type { AnchorPids } from './start-nodes.ts';
import { together } from './together.ts';
import type { Undo } from './undo.ts';

/** Makes these daemons run as they should, all at once. Their sources are compiled first where they changed. */
export async function startDaemons(
  context: Context,
  layout: ClusterLayout,
  specs: readonly DaemonSpec[],
  pids: AnchorPids,
  undo: Undo,
): Promise<readonly DaemonAction[]> {
  const desired = await together(
    specs.map(async (spec) => {
      const namespace = spec.namespace === undefined ? undefined : pids.get(spec.namespace);
      return desiredDaemon(context, spec, await daemonProgram(context, spec.kind), namespace);
    }),
  );
  const names = new Set(specs.map((spec) => spec.name));
  const observed = observeDaemons(layout).filter((daemon) => names.has(daemon.record.spec.name));
  const actions = planDaemons(desired, observed);
  // What one leaves another may want: a balancer takes the port that the only API server had.
  const replaced = actions.filter((action) => action.kind === 'replace');
  await together(replaced.map((action) => stopDaemon(context, action.running)));
  await together(actions.map((action) => perform(context, layout, action, undo)));
  return actions;
}

/** Ends daemons that are recorded but no part of the cluster any more. */
export async function stopStrays(
  context: Context,
  layout: ClusterLayout,
  specs: readonly DaemonSpec[],
): Promise<readonly DaemonAction[]> {
  const names = new Set(specs.map((spec) => spec.name));
  const strays = observeDaemons(layout).filter((daemon) => !names.has(daemon.record.spec.name));
  await stopDaemons(context, layout, strays);
  return planDaemons([], strays);
}

async function perform(context: Context, layout: ClusterLayout, action: DaemonAction, undo: Undo): Promise<void> {
  if (action.kind === 'resume') {
    signalProcess(action.running.record.process, 'SIGCONT');
    return;
  }
  if (action.kind === 'stop') {
    await stopDaemon(context, action.running);
    return;
  }
  const record = await startDaemon(context, layout, action.daemon);
  // A daemon that ran before this command must run after it, whatever comes of the rest.
  if (action.kind === 'replace') return;
  undo.add(record.spec.name, async () => {
    await stopDaemons(context, layout, [{ record, state: 'running' }]);
  });
}
