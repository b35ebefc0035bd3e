import { isConflict, isNotFound, isPodTerminal, type Node, objectKey, resources } from '@wherry/api';
import { logPlan } from '@wherry/client';
import { pause, rfc3339 } from '@wherry/daemon';
import { actOnEach } from '../../spine/batches.ts';
import type { ControllerContext } from '../../spine/context.ts';
import { type PodGcAction, planPodGc } from './plan.ts';

/** Between two rounds. */
const PERIOD_MS = 20_000;
/** A node must be missing this long before its pods go: it may only be registering anew. */
const QUARANTINE_MS = 40_000;

export function startPodGc(context: ControllerContext): void {
  const { caches, clock, scope } = context;
  const nodes = caches.of(resources.nodes);
  /** Missing nodes that pods name, since when (monotonic). */
  const missing = new Map<string, number>();
  scope.run('pod garbage collector', async (signal) => {
    await Promise.all([caches.pods.synced(signal), nodes.synced(signal)]);
    while (await pause(clock, PERIOD_MS, signal)) {
      try {
        const goneNodes = await findGoneNodes(context, missing, signal);
        const known = new Map<string, Node>(nodes.list().map((node) => [node.metadata?.name ?? '', node]));
        const terminatedMax = context.options.terminatedPodGcThreshold;
        const actions = planPodGc({ pods: caches.pods.list(), nodes: known, goneNodes, terminatedMax });
        await actOnEach(actions, (action) => remove(context, action, signal));
      } catch (error) {
        if (signal.aborted) return;
        context.logger.warn({ controller: 'pod-garbage-collector', err: error }, 'round failed, the next one will do');
      }
    }
  });
}

async function findGoneNodes(
  context: ControllerContext,
  missing: Map<string, number>,
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const { caches, client, clock } = context;
  const nodes = caches.of(resources.nodes);
  const nowMs = clock.monotonicMs();
  const named = new Set(caches.pods.list().map((pod) => pod.spec?.nodeName ?? ''));
  named.delete('');
  for (const name of missing.keys()) if (!named.has(name) || nodes.get(name) !== undefined) missing.delete(name);
  for (const name of named) if (nodes.get(name) === undefined && !missing.has(name)) missing.set(name, nowMs);
  const gone = new Set<string>();
  for (const [name, sinceMs] of missing) {
    if (nowMs - sinceMs < QUARANTINE_MS) continue;
    try {
      await client.get(resources.nodes, name, { signal });
      missing.delete(name);
    } catch (error) {
      if (!isNotFound(error)) throw error;
      gone.add(name);
    }
  }
  return gone;
}

async function remove(context: ControllerContext, action: PodGcAction, signal: AbortSignal): Promise<void> {
  const { client, clock, logger } = context;
  const { name = '', namespace = '', uid = '' } = action.pod.metadata ?? {};
  const key = `pods/${objectKey(action.pod)}`;
  try {
    if (!isPodTerminal(action.pod)) {
      const condition = action.disruption && {
        type: 'DisruptionTarget',
        status: 'True',
        lastTransitionTime: rfc3339(clock.now()),
        ...action.disruption,
      };
      const status = { phase: 'Failed', ...(condition !== undefined && { conditions: [condition] }) };
      const options = { namespace, subresource: 'status', type: 'strategic', signal } as const;
      await client.patch(resources.pods, name, { metadata: { uid }, status }, options);
    }
    await client.delete(resources.pods, name, { namespace, gracePeriodSeconds: 0, preconditions: { uid }, signal });
  } catch (error) {
    if (isNotFound(error) || isConflict(error)) return;
    throw error;
  }
  logPlan(logger, {
    controller: 'pod-garbage-collector',
    key: objectKey(action.pod),
    inputs: [{ key: objectKey(action.pod), resourceVersion: action.pod.metadata?.resourceVersion }],
    why: action.why,
    actions: [{ verb: 'force-delete', key }],
  });
}
