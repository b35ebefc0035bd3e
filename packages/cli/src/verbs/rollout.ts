import {
  controllerOf,
  type DaemonSet,
  type Deployment,
  type ReplicaSet,
  resources,
  type StatefulSet,
} from '@wherry/api';
import { pollUntil } from '@wherry/client';
import type { Command } from 'commander';
import type { CommandDefinition, Context } from '../context.ts';
import { Failure } from '../failure.ts';
import type { DiscoveredResource } from '../kube/discovery.ts';
import { parseNames } from '../kube/selection.ts';
import { type Session, type TargetFlags, withSession, withTarget } from '../kube/session.ts';
import { alignColumns } from '../printers/columns.ts';
import { displayName } from '../printers/printer.ts';
import { rolloutStatus } from './rollout-status.ts';

const REVISION = 'deployment.kubernetes.io/revision';
const CHANGE_CAUSE = 'kubernetes.io/change-cause';
const POLL_MS = 250;

interface Target {
  readonly resource: DiscoveredResource;
  readonly name: string;
}
type Work = (context: Context, session: Session, target: Target, flags: RolloutFlags) => Promise<void>;
interface RolloutFlags extends TargetFlags {
  readonly toRevision?: string;
  readonly revision?: string;
  readonly watch?: boolean;
  readonly timeout?: string;
}

export const rolloutCommand: CommandDefinition = (parent, context) => {
  const rollout = parent.command('rollout').description('Watch, pause, restart or take back the rollout of a workload');
  const define = (name: string, description: string, work: Work): Command =>
    withTarget(rollout.command(name))
      .description(description)
      .argument('<type>', 'type, or type/name')
      .argument('[names...]')
      .action((type: string, names: readonly string[], flags: RolloutFlags) =>
        withSession(context, flags, async (session) => {
          for (const target of await parseNames([type, ...names], session.discovery))
            await work(context, session, target, flags);
        }),
      );
  define('status', 'Wait until the rollout is complete', status)
    .option('--no-watch', 'say where it stands and end')
    .option('--timeout <seconds>', 'give up after this long', '0');
  define('history', 'Show the revisions of a deployment', history).option(
    '--revision <number>',
    'show this revision’s pod template',
  );
  define('undo', 'Go back to an earlier revision of a deployment', undo).option(
    '--to-revision <number>',
    'default: the one before',
    '0',
  );
  define('restart', 'Replace all pods, one batch after the other', restart);
  define('pause', 'Let changes of a deployment collect without rolling out', (context, session, target) =>
    setPaused(true, context, session, target),
  );
  define('resume', 'Roll out what was collected', (context, session, target) =>
    setPaused(false, context, session, target),
  );
};

const status: Work = async (context, session, { resource, name }, flags) => {
  const { namespace } = session;
  const seconds = Number.parseFloat(flags.timeout ?? '0');
  const deadline =
    seconds > 0 ? AbortSignal.any([context.signal, AbortSignal.timeout(seconds * 1000)]) : context.signal;
  let said = '';
  const done = await pollUntil(context.clock, POLL_MS, deadline, async () => {
    const object = await session.client.get<Deployment & DaemonSet & StatefulSet>(resource as never, name, {
      namespace,
    });
    const { message, complete } = rolloutStatus(resource.kind, object);
    if (message !== said) context.terminal.out(message);
    said = message;
    return complete || flags.watch === false;
  });
  if (!done && !context.signal.aborted) throw new Failure('timed out waiting for the condition');
};

async function revisionsOf(
  session: Session,
  target: Target,
): Promise<{ deployment: Deployment; revisions: readonly (readonly [number, ReplicaSet])[] }> {
  if (target.resource.kind !== 'Deployment')
    throw new Failure(`no history viewer has been implemented for "${target.resource.kind}"`);
  const { client, namespace } = session;
  const deployment = await client.get(resources.deployments, target.name, { namespace });
  const { items } = await client.list(resources.replicasets, { namespace });
  const revisions = items
    .filter((replicaSet) => controllerOf(replicaSet.metadata)?.uid === deployment.metadata?.uid)
    .map((replicaSet) => [Number(replicaSet.metadata?.annotations?.[REVISION] ?? 0), replicaSet] as const)
    .sort(([a], [b]) => a - b);
  return { deployment, revisions };
}

const history: Work = async (context, session, target, flags) => {
  const { revisions } = await revisionsOf(session, target);
  context.terminal.out(`${displayName(target.resource, target.name)} `);
  if (flags.revision !== undefined) {
    const [, found] = revisions.find(([revision]) => revision === Number(flags.revision)) ?? [];
    if (found === undefined) throw new Failure(`unable to find the specified revision ${flags.revision}`);
    context.terminal.out(`with revision #${flags.revision}`);
    for (const { name, image } of found.spec?.template?.spec?.containers ?? [])
      context.terminal.out(`  ${name}: ${image}`);
    return;
  }
  const rows = revisions.map(([revision, { metadata }]) => [
    String(revision),
    metadata?.annotations?.[CHANGE_CAUSE] ?? '<none>',
  ]);
  for (const line of alignColumns([['REVISION', 'CHANGE-CAUSE'], ...rows])) context.terminal.out(line);
};

const undo: Work = async (context, session, target, flags) => {
  const { deployment, revisions } = await revisionsOf(session, target);
  if (deployment.spec?.paused === true) {
    throw new Failure(
      `cannot rollback a paused deployment; resume it first with 'wherry rollout resume deployment/${target.name}' and try again`,
    );
  }
  const wanted = Number(flags.toRevision ?? 0);
  const [revision, replicaSet] =
    (wanted === 0 ? revisions.at(-2) : revisions.find(([number]) => number === wanted)) ?? [];
  if (replicaSet === undefined)
    throw new Failure(
      wanted === 0 ? 'no rollout history found' : `unable to find specified revision ${wanted} in history`,
    );
  const { 'pod-template-hash': _, ...labels } = replicaSet.spec?.template?.metadata?.labels ?? {};
  const template = { ...replicaSet.spec?.template, metadata: { ...replicaSet.spec?.template?.metadata, labels } };
  if (JSON.stringify(template) === JSON.stringify(deployment.spec?.template)) {
    context.terminal.out(
      `${displayName(target.resource, target.name)} skipped rollback (current template already matches revision ${revision})`,
    );
    return;
  }
  const patch = [{ op: 'replace', path: '/spec/template', value: template }];
  await session.client.patch(resources.deployments, target.name, patch, { namespace: session.namespace, type: 'json' });
  context.terminal.out(`${displayName(target.resource, target.name)} rolled back`);
};

const restart: Work = async (context, session, { resource, name }) => {
  const restartedAt = new Date(context.clock.now()).toISOString().replace(/\.\d+Z$/, 'Z');
  const patch = {
    spec: { template: { metadata: { annotations: { 'kubectl.kubernetes.io/restartedAt': restartedAt } } } },
  };
  await session.client.patch(resource, name, patch, { namespace: session.namespace, type: 'strategic' });
  context.terminal.out(`${displayName(resource, name)} restarted`);
};

async function setPaused(
  paused: boolean,
  context: Context,
  session: Session,
  { resource, name }: Target,
): Promise<void> {
  const { namespace } = session;
  if (resource.kind !== 'Deployment') throw new Failure(`${resource.resource} "${name}" pausing is not supported`);
  const deployment = await session.client.get(resources.deployments, name, { namespace });
  if ((deployment.spec?.paused ?? false) === paused)
    throw new Failure(`deployments.apps "${name}" is ${paused ? 'already' : 'not'} paused`);
  await session.client.patch(resource, name, { spec: { paused } }, { namespace, type: 'strategic' });
  context.terminal.out(`${displayName(resource, name)} ${paused ? 'paused' : 'resumed'}`);
}
