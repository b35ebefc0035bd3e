import { type ApiObject, controllerOf, isNotFound, objectKey, type Pod, resources, StatusError } from '@wherry/api';
import { pollUntil } from '@wherry/client';
import { pause } from '@wherry/daemon';
import type { Context } from '../../context.ts';
import { verdictOf } from '../../kube/drainable.ts';
import { type DryRun, dryRunOf, dryRunSuffix } from '../../kube/dry-run.ts';
import { durationMs } from '../../kube/durations.ts';
import { report } from '../../kube/report.ts';
import { type Session, withSession } from '../../kube/session.ts';
import { VerbError } from '../../kube/verb-error.ts';
import type { DrainFlags } from '../nodes.ts';
import { cordon, nodeNames } from './cordon.ts';

/** Between tries of an eviction that a disruption budget does not allow yet. */
const RETRY_MS = 5000;
const POLL_MS = 500;

/** Why pods may not be removed so, a line for each reason. */
class Refusals extends VerbError {
  readonly lines: readonly string[];

  constructor(lines: readonly string[]) {
    super(lines.length === 1 ? (lines[0] ?? '') : `[${lines.join(', ')}]`);
    this.lines = lines;
  }
}

export function drain(context: Context, names: readonly string[], flags: DrainFlags): Promise<void> {
  const timeoutMs = durationMs('--timeout', flags.timeout);
  const untilMs = timeoutMs > 0 ? context.clock.monotonicMs() + timeoutMs : Number.POSITIVE_INFINITY;
  return withSession(context, flags, async (session) => {
    const nodes = await nodeNames(session, 'drain', names, flags);
    for (const name of nodes) await cordon(context, session, name, true, flags);
    const pending = [...nodes];
    for (const name of nodes) {
      try {
        await drainOne(context, session, name, flags, untilMs);
        pending.shift();
        await report(context, flags, await session.discovery.find('nodes'), { metadata: { name } }, 'drained');
      } catch (error) {
        if (!(error instanceof VerbError)) throw error;
        context.terminal.err(
          `error: unable to drain node "${name}" due to error: ${error.message}, continuing command...`,
        );
        context.terminal.err(`There are pending nodes to be drained:\n${pending.map((one) => ` ${one}`).join('\n')}`);
        for (const line of error instanceof Refusals ? error.lines : [error.message]) context.terminal.err(line);
        process.exitCode = 1;
        return;
      }
    }
  });
}

async function drainOne(
  context: Context,
  session: Session,
  node: string,
  flags: DrainFlags,
  untilMs: number,
): Promise<void> {
  const selector = flags.podSelector === undefined ? {} : { labelSelector: flags.podSelector };
  const { items } = await session.client.list(resources.pods, { fieldSelector: `spec.nodeName=${node}`, ...selector });
  const leaving = await chosen(context, session, items, flags);
  const strategy = dryRunOf(flags.dryRun);
  const verb = flags.disableEviction === true ? 'deleting' : 'evicting';
  const started = leaving.map((pod) => {
    context.terminal.out(`${verb} pod ${objectKey(pod)}${dryRunSuffix(strategy)}`);
    return removePod(context, session, pod, flags, strategy, untilMs);
  });
  const results = await Promise.allSettled(started);
  const failures = results.filter((result) => result.status === 'rejected').map(({ reason }) => reason as unknown);
  if (failures.length > 0) {
    const texts = failures.map((error) => (error instanceof Error ? error.message : String(error)));
    throw new VerbError(texts.length === 1 ? (texts[0] ?? '') : `[${texts.join(', ')}]`, { cause: failures[0] });
  }
}

/** @throws VerbError naming all pods that may not be removed so */
async function chosen(
  context: Context,
  session: Session,
  pods: readonly Pod[],
  flags: DrainFlags,
): Promise<readonly Pod[]> {
  const missing = await missingDaemonSets(session, pods);
  const options = {
    ignoreDaemonSets: flags.ignoreDaemonsets === true,
    deleteEmptyDirData: flags.deleteEmptydirData === true,
    force: flags.force === true,
    skipWaitSeconds: Number(flags.skipWaitForDeleteTimeout),
    nowMs: context.clock.now(),
    ownerExists: (pod: Pod) => !missing.has(controllerOf(pod.metadata)?.uid ?? ''),
  };
  const warnings = new Map<string, string[]>();
  const refusals = new Map<string, string[]>();
  const leaving: Pod[] = [];
  const note = (notes: Map<string, string[]>, text: string, pod: Pod) =>
    notes.set(text, [...(notes.get(text) ?? []), objectKey(pod)]);
  for (const pod of pods) {
    const verdict = verdictOf(pod, options);
    if (verdict.kind === 'refuse') note(refusals, verdict.reason, pod);
    else if (verdict.warning !== undefined) note(warnings, verdict.warning, pod);
    if (verdict.kind === 'evict') leaving.push(pod);
  }
  if (refusals.size > 0) {
    throw new Refusals([...refusals].map(([text, keys]) => `${text}: ${keys.join(', ')}`));
  }
  if (warnings.size > 0) {
    const texts = [...warnings].map(([text, keys]) => `${text}: ${keys.join(', ')}`);
    context.terminal.err(`Warning: ${texts.join('; ')}`);
  }
  return leaving;
}

/** Uids of daemon sets that are gone though pods still name them. */
async function missingDaemonSets(session: Session, pods: readonly Pod[]): Promise<ReadonlySet<string>> {
  const missing = new Set<string>();
  for (const { metadata } of pods) {
    const owner = controllerOf(metadata);
    if (owner?.kind !== 'DaemonSet') continue;
    try {
      await session.client.get(resources.daemonsets, owner.name, { namespace: metadata?.namespace ?? '' });
    } catch (error) {
      if (!isNotFound(error)) throw error;
      missing.add(owner.uid);
    }
  }
  return missing;
}

async function removePod(
  context: Context,
  session: Session,
  pod: Pod,
  flags: DrainFlags,
  strategy: DryRun,
  untilMs: number,
): Promise<void> {
  if (strategy === 'client') return;
  const { name = '', namespace = '', uid } = pod.metadata ?? {};
  const { clock, signal } = context;
  const checkTime = (): void => {
    if (clock.monotonicMs() >= untilMs) {
      throw new VerbError(
        `error when waiting for pod "${name}" in namespace "${namespace}" to terminate: global timeout reached: ${flags.timeout}`,
      );
    }
  };
  for (;;) {
    try {
      await requestRemoval(session, pod, flags, strategy === 'server');
      break;
    } catch (error) {
      if (isNotFound(error)) return;
      if (!(error instanceof StatusError) || error.reason !== 'TooManyRequests') throw error;
      context.terminal.err(
        `error when evicting pods/"${name}" -n "${namespace}" (will retry after 5s): ${error.message}`,
      );
      if (!(await pause(clock, RETRY_MS, signal))) signal.throwIfAborted();
      checkTime();
    }
  }
  if (strategy === 'server') return;
  const done = await pollUntil(clock, POLL_MS, signal, async () => {
    try {
      const now = await session.client.get(resources.pods, name, { namespace });
      if (now.metadata?.uid !== uid) return true;
    } catch (error) {
      if (isNotFound(error)) return true;
      throw error;
    }
    checkTime();
    return false;
  });
  if (!done) signal.throwIfAborted();
  context.terminal.out(`pod/${name} ${flags.disableEviction === true ? 'deleted' : 'evicted'}`);
}

async function requestRemoval(session: Session, pod: Pod, flags: DrainFlags, dryRun: boolean): Promise<void> {
  const { name = '', namespace = '' } = pod.metadata ?? {};
  const seconds = Number(flags.gracePeriod);
  const grace = seconds < 0 ? {} : { gracePeriodSeconds: seconds };
  if (flags.disableEviction === true) {
    await session.client.delete(resources.pods, name, { namespace, ...grace, dryRun });
    return;
  }
  const eviction = {
    apiVersion: 'policy/v1',
    kind: 'Eviction',
    metadata: { name, namespace },
    deleteOptions: grace,
  } as ApiObject;
  await session.client.create<ApiObject>(resources.pods, eviction, {
    namespace,
    name,
    subresource: 'eviction',
    dryRun,
  });
}
