import { type Pod, resources } from '@wherry/api';
import { lines, objectPath } from '@wherry/client';
import { parseDuration } from '@wherry/daemon';
import type { CommandDefinition, Context } from '../context.ts';
import { Failure } from '../failure.ts';
import { podsOf } from '../kube/pods-of.ts';
import { type Session, type TargetFlags, withSession, withTarget } from '../kube/session.ts';

interface LogFlags extends TargetFlags {
  readonly container?: string;
  readonly allContainers?: boolean;
  readonly follow?: boolean;
  readonly previous?: boolean;
  readonly timestamps?: boolean;
  readonly tail?: string;
  readonly since?: string;
  readonly limitBytes?: string;
  readonly selector?: string;
  readonly prefix?: boolean;
}

export const logsCommand: CommandDefinition = (parent, context) => {
  withTarget(parent.command('logs'))
    .description('Show what a pod’s container wrote: wherry logs web-1, logs deploy/web --tail=20 -f')
    .argument('[target]', 'pod, or type/name of what owns pods')
    .argument('[container]')
    .option('-c, --container <name>', 'which container')
    .option('--all-containers', 'all containers of the pod')
    .option('-f, --follow', 'go on showing new lines')
    .option('-p, --previous', 'of the container’s previous run')
    .option('--timestamps', 'the time before each line')
    .option('--tail <lines>', 'only the last lines')
    .option('--since <duration>', 'only newer than this, for example 5m')
    .option('--limit-bytes <bytes>', 'at most this much')
    .option('-l, --selector <labels>', 'of all pods with these labels')
    .option('--prefix', 'pod and container before each line')
    .action((target: string | undefined, container: string | undefined, flags: LogFlags) =>
      withSession(context, flags, (session) =>
        logs(context, session, target, { ...flags, ...(container === undefined ? {} : { container }) }),
      ),
    );
};

async function logs(context: Context, session: Session, target: string | undefined, flags: LogFlags): Promise<void> {
  const pods = await podsOf(session, target, flags.selector);
  const [first] = pods;
  if (first === undefined) throw new Failure('No pods found');
  const chosen = flags.selector === undefined ? [first] : pods;
  if (pods.length > 1 && flags.selector === undefined)
    context.terminal.err(`Found ${pods.length} pods, using pod/${first.metadata?.name}`);
  const sources = chosen.flatMap((pod) => containersOf(context, pod, flags).map((container) => ({ pod, container })));
  const prefixed = flags.prefix === true;
  // Followed together; one after the other otherwise, so that lines of one container stay together.
  const copies = sources.map(
    (source) => () => copyLog(context, session, source.pod, source.container, flags, prefixed),
  );
  if (flags.follow === true) await Promise.all(copies.map((copy) => copy()));
  else for (const copy of copies) await copy();
}

function containersOf(context: Context, pod: Pod, flags: LogFlags): readonly string[] {
  const { initContainers = [], containers = [], ephemeralContainers = [] } = pod.spec ?? {};
  const all = [...initContainers, ...containers, ...ephemeralContainers].map(({ name }) => name);
  if (flags.allContainers === true) return all;
  if (flags.container !== undefined) {
    if (!all.includes(flags.container))
      throw new Failure(
        `container ${flags.container} is not valid for pod ${pod.metadata?.name}: it has ${all.join(', ')}`,
      );
    return [flags.container];
  }
  const preferred = pod.metadata?.annotations?.['kubectl.kubernetes.io/default-container'] ?? containers[0]?.name ?? '';
  if (containers.length > 1) context.terminal.err(`Defaulted container "${preferred}" out of: ${all.join(', ')}`);
  return [preferred];
}

async function copyLog(
  context: Context,
  session: Session,
  pod: Pod,
  container: string,
  flags: LogFlags,
  prefixed: boolean,
): Promise<void> {
  const query = new URLSearchParams({ container });
  if (flags.follow === true) query.set('follow', 'true');
  if (flags.previous === true) query.set('previous', 'true');
  if (flags.timestamps === true) query.set('timestamps', 'true');
  if (flags.tail !== undefined && flags.tail !== '-1') query.set('tailLines', flags.tail);
  if (flags.limitBytes !== undefined) query.set('limitBytes', flags.limitBytes);
  if (flags.since !== undefined) query.set('sinceSeconds', String(sinceSeconds(flags.since)));
  const { name = '', namespace } = pod.metadata ?? {};
  const path = `${objectPath(resources.pods, name, namespace, 'log')}?${query}`;
  const response = await session.client.raw({ method: 'GET', path, signal: context.signal });
  try {
    if (prefixed)
      for await (const line of lines(response.body)) context.terminal.out(`[pod/${name}/${container}] ${line}`);
    else for await (const chunk of response.body) await context.terminal.write(chunk);
  } catch (error) {
    if (!context.signal.aborted) throw error;
  }
}

function sinceSeconds(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined || ms <= 0) throw new Failure(`--since is "${text}", must be a duration such as 5m`);
  return Math.ceil(ms / 1000);
}
