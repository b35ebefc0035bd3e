import { isNotFound, type Pod, resources } from '@wherry/api';
import { lines, objectPath } from '@wherry/client';
import type { Context } from '../../context.ts';
import { chosenContainer } from '../../kube/containers-of.ts';
import { durationMs } from '../../kube/durations.ts';
import { podsOf } from '../../kube/pods-of.ts';
import { Problems } from '../../kube/problems.ts';
import { type Session, withSession } from '../../kube/session.ts';
import { VerbError } from '../../kube/verb-error.ts';
import type { LogFlags } from '../logs.ts';

/** Lines of each log when a selector finds several. */
const SELECTED_TAIL = '10';

interface Source {
  readonly pod: Pod;
  readonly container: string;
}

export function logs(context: Context, target: string | undefined, flags: LogFlags): Promise<void> {
  if (target === undefined && flags.selector === undefined) {
    throw new VerbError(
      "expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'.\nPOD or TYPE/NAME is a required argument for the logs command\nSee 'wherry logs -h' for help and examples",
    );
  }
  if (flags.since !== undefined && flags.sinceTime !== undefined) {
    throw new VerbError('at most one of `sinceTime` or `since` may be specified');
  }
  return withSession(context, flags, async (session) => {
    const pods = await found(session, target, flags);
    const [first] = pods;
    if (first === undefined) {
      context.terminal.err(`No resources found in ${session.namespace} namespace.`);
      return;
    }
    const all = flags.selector !== undefined || flags.allPods === true;
    if (pods.length > 1 && !all) context.terminal.err(`Found ${pods.length} pods, using pod/${first.metadata?.name}`);
    const sources = (all ? pods : [first]).flatMap((pod) => sourcesOf(context, pod, flags));
    await copyAll(context, session, sources, flags);
  });
}

/** kubectl's own words for what is not there, which name the namespace. */
async function found(session: Session, target: string | undefined, flags: LogFlags): Promise<readonly Pod[]> {
  try {
    return await podsOf(session, target, flags.selector);
  } catch (error) {
    if (!isNotFound(error)) throw error;
    const { message } = error as Error;
    throw new VerbError(`error from server (NotFound): ${message} in namespace "${session.namespace}"`, {
      cause: error,
    });
  }
}

async function copyAll(context: Context, session: Session, sources: readonly Source[], flags: LogFlags): Promise<void> {
  const path = (source: Source) => logPath(source, flags);
  const problems = new Problems(context);
  const copy = (source: Source): Promise<unknown> =>
    flags.ignoreErrors === true
      ? problems.attempt(() => copyLog(context, session, source, path(source), flags))
      : copyLog(context, session, source, path(source), flags);
  if (flags.follow !== true) {
    // One after the other: lines of one container stay together.
    for (const source of sources) await copy(source);
    return;
  }
  const requestsMax = Number(flags.maxLogRequests);
  if (sources.length > requestsMax) {
    throw new VerbError(
      `you are attempting to follow ${sources.length} log streams, but maximum allowed concurrency is ${requestsMax}, use --max-log-requests to increase the limit`,
    );
  }
  await Promise.all(sources.map(copy));
}

function sourcesOf(context: Context, pod: Pod, flags: LogFlags): readonly Source[] {
  if (flags.allContainers === true) {
    const { initContainers = [], containers = [], ephemeralContainers = [] } = pod.spec ?? {};
    return [...initContainers, ...containers, ...ephemeralContainers].map(({ name }) => ({ pod, container: name }));
  }
  const { container } = flags;
  try {
    return [{ pod, container: chosenContainer(pod, container, (text) => context.terminal.err(text)) }];
  } catch (cause) {
    if (!(cause instanceof VerbError)) throw cause;
    throw new VerbError(`container ${container} is not valid for pod ${pod.metadata?.name}`, { cause });
  }
}

function logPath({ pod, container }: Source, flags: LogFlags): string {
  const query = new URLSearchParams({ container });
  if (flags.follow === true) query.set('follow', 'true');
  if (flags.previous === true) query.set('previous', 'true');
  if (flags.timestamps === true) query.set('timestamps', 'true');
  const tail = flags.tail ?? (flags.selector === undefined ? '-1' : SELECTED_TAIL);
  if (Number(tail) >= 0) query.set('tailLines', tail);
  if (flags.limitBytes !== undefined) query.set('limitBytes', flags.limitBytes);
  if (flags.since !== undefined)
    query.set('sinceSeconds', String(Math.ceil(durationMs('--since', flags.since) / 1000)));
  if (flags.sinceTime !== undefined) query.set('sinceTime', flags.sinceTime);
  const { name = '', namespace } = pod.metadata ?? {};
  return `${objectPath(resources.pods, name, namespace, 'log')}?${query}`;
}

async function copyLog(
  context: Context,
  session: Session,
  { pod, container }: Source,
  path: string,
  flags: LogFlags,
): Promise<void> {
  const isPrefixed = flags.prefix === true || flags.allPods === true;
  try {
    const response = await session.client.raw({ method: 'GET', path, signal: context.signal });
    if (!isPrefixed) for await (const chunk of response.body) await context.terminal.write(chunk);
    else {
      for await (const line of lines(response.body)) {
        context.terminal.out(`[pod/${pod.metadata?.name}/${container}] ${line.toString('utf8')}`);
      }
    }
  } catch (error) {
    if (!context.signal.aborted) throw error;
    process.exitCode = 130;
  }
}
