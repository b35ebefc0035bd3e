import { hostPlace } from '../cluster/host-place.ts';
import { type ClusterLayout, clusterLayout } from '../cluster/layout.ts';
import { withLock } from '../cluster/lock.ts';
import type { Context } from '../context.ts';
import { Failure } from '../failure.ts';
import { knownSpecs, requireKnown } from '../joining/joined-node.ts';
import { table } from '../terminal/table.ts';
import { signalProcess } from './process-identity.ts';
import { type ObservedDaemon, observeDaemons } from './records.ts';
import { restartDaemon } from './restart.ts';
import type { DaemonSpec } from './spec.ts';
import { killDaemon } from './stop.ts';

export async function list(context: Context, cluster: string): Promise<void> {
  const layout = clusterLayout(context.home, cluster);
  requireKnown(layout);
  const rows = observeDaemons(layout).map(({ record, state }) => [
    record.spec.name,
    record.spec.kind,
    state === 'gone' ? '-' : String(record.process.pid),
    state,
    record.startedAt,
  ]);
  context.terminal.out(table(['NAME', 'KIND', 'PID', 'STATE', 'STARTED'], rows));
}

export async function kill(context: Context, cluster: string, name: string): Promise<void> {
  const daemon = living(context, cluster, name);
  await killDaemon(context, daemon);
  context.terminal.out(`${daemon.record.spec.name} killed`);
}

export async function pause(context: Context, cluster: string, name: string): Promise<void> {
  const daemon = living(context, cluster, name);
  signalProcess(daemon.record.process, 'SIGSTOP');
  context.terminal.out(`${daemon.record.spec.name} paused`);
}

export async function resume(context: Context, cluster: string, name: string): Promise<void> {
  const daemon = living(context, cluster, name);
  signalProcess(daemon.record.process, 'SIGCONT');
  context.terminal.out(`${daemon.record.spec.name} resumed`);
}

/** Starts one daemon that does not run; one that runs is left alone. */
export async function start(context: Context, cluster: string, name: string): Promise<void> {
  const layout = clusterLayout(context.home, cluster);
  const spec = select(knownSpecs(layout, hostPlace(context)), name, layout);
  const started = await withLock(layout, context.pid, () => restartDaemon(context, layout, spec));
  context.terminal.out(`${spec.name} ${started ? 'started' : 'runs already'}`);
}

/** @throws Failure when it does not run */
function living(context: Context, cluster: string, name: string): ObservedDaemon {
  const layout = clusterLayout(context.home, cluster);
  const daemons = observeDaemons(layout);
  const spec = select(
    daemons.map(({ record }) => record.spec),
    name,
    layout,
  );
  const daemon = daemons.find(({ record }) => record.spec.name === spec.name);
  if (daemon === undefined || daemon.state === 'gone') {
    throw new Failure(`${spec.name} does not run: start it with "wherry daemon start ${spec.name}"`);
  }
  return daemon;
}

/** @throws Failure when no daemon, or more than one, goes by that name */
export function select(specs: readonly DaemonSpec[], name: string, layout: Pick<ClusterLayout, 'name'>): DaemonSpec {
  const exact = specs.find((spec) => spec.name === name);
  if (exact !== undefined) return exact;
  const ofKind = specs.filter((spec) => spec.kind === name);
  const [only] = ofKind;
  if (only !== undefined && ofKind.length === 1) return only;
  const names = (ofKind.length > 0 ? ofKind : specs).map((spec) => spec.name).join(', ');
  if (ofKind.length > 1)
    throw new Failure(`Cluster "${layout.name}" has several of kind "${name}": name one of ${names}`);
  throw new Failure(
    `Cluster "${layout.name}" has no daemon "${name}"${names === '' ? ': it is down' : `: it has ${names}`}`,
  );
}
