import { isNotFound, objectKey, type Pod, resources } from '@wherry/api';
import { rfc3339 } from '@wherry/daemon';
import { canonicalJson } from '../../pods/template-hash.ts';
import { BY_NODE } from '../../spine/caches.ts';
import { type ControllerContext, referenceTo } from '../../spine/context.ts';
import { anyCache, Keyed } from '../../spine/keyed.ts';
import { type Actor, PodActions } from '../../spine/pod-actions.ts';
import { noExecuteTaints, planEviction } from './plan.ts';

/** Pods judged at once (upstream's number of workers). */
const WORKERS = 8;

export function startTaintEviction(context: ControllerContext): void {
  const { caches, client, clock } = context;
  const nodes = caches.of(resources.nodes);
  const { pods } = caches;
  const keyed = new Keyed(context, 'taint-eviction-controller');
  const recorder = context.recorder('taint-eviction-controller');
  const actions = new PodActions(context, keyed, recorder);
  /** Pods that will have to go, and since when that is known. */
  const marked = new Map<string, number>();
  keyed.follow(nodes, ({ object, previous }) => {
    if (canonicalJson(noExecuteTaints(object)) === canonicalJson(noExecuteTaints(previous))) return [];
    return pods.byIndex(BY_NODE, object.metadata?.name ?? '').map(objectKey);
  });
  keyed.follow(pods, ({ key, object, kind }) => {
    if (kind === 'deleted') marked.delete(key);
    return kind !== 'deleted' && noExecuteTaints(nodes.get(object.spec?.nodeName ?? '')).length > 0 ? [key] : [];
  });
  keyed.run(WORKERS, [anyCache(nodes), anyCache(pods)], async (key, signal) => {
    const pod = pods.get(key);
    const node = nodes.get(pod?.spec?.nodeName ?? '');
    if (pod === undefined || node === undefined) return undefined;
    const nowMs = clock.now();
    const firstSeenMs = marked.get(key) ?? nowMs;
    const plan = planEviction(pod, node, nowMs, firstSeenMs);
    const regarding = referenceTo('v1', 'Pod', pod);
    switch (plan.kind) {
      case 'stay':
        if (marked.delete(key) && pod.metadata?.deletionTimestamp === undefined) {
          recorder.event(regarding, 'Normal', 'TaintManagerEviction', `Cancelling deletion of Pod ${key}`);
        }
        return undefined;
      case 'later':
        marked.set(key, firstSeenMs);
        return { requeueAfterMs: plan.afterMs };
      case 'evict': {
        marked.delete(key);
        recorder.event(regarding, 'Normal', 'TaintManagerEviction', `Marking for deletion Pod ${key}`);
        const actor: Actor = { key, regarding, signal, done: [] };
        await actions.patch(actor, pod, 'mark-disrupted', disruptionPatch(pod, rfc3339(clock.now())), 'status');
        await evict(pod, signal);
        keyed.acted(key, [pod, node], plan.why, [...actor.done, { verb: 'delete', key: `pods/${key}` }]);
        return undefined;
      }
    }
  });

  async function evict(pod: Pod, signal: AbortSignal): Promise<void> {
    const { name = '', namespace = '', uid = '' } = pod.metadata ?? {};
    try {
      await client.delete(resources.pods, name, { namespace, preconditions: { uid }, signal });
      keyed.own.deleted(objectKey(pod), pods, objectKey(pod), uid);
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
}

function disruptionPatch(pod: Pod, now: string): object {
  const condition = {
    type: 'DisruptionTarget',
    status: 'True',
    reason: 'DeletionByTaintManager',
    message: 'Taint manager: deleting due to NoExecute taint',
    lastTransitionTime: now,
  };
  return { metadata: { uid: pod.metadata?.uid }, status: { conditions: [condition] } };
}
