import { isConditionTrue, type Node, type Pod } from '@wherry/api';
import { timeMs } from '../../pods/readiness.ts';

const OUT_OF_SERVICE_TAINT = 'node.kubernetes.io/out-of-service';

export interface PodGcAction {
  readonly pod: Pod;
  /** Why its life ends; undefined for pods that have ended already. */
  readonly disruption: { readonly reason: string; readonly message: string } | undefined;
  readonly why: string;
}

export interface PodGcInput {
  readonly pods: readonly Pod[];
  readonly nodes: ReadonlyMap<string, Node>;
  /** Nodes known to be gone for good: missing for longer than the quarantine, and confirmed by the server. */
  readonly goneNodes: ReadonlySet<string>;
  /** Ended pods to keep; 0 keeps all. */
  readonly terminatedMax: number;
}

/** Pods to remove at once because nobody else would. */
export function planPodGc(input: PodGcInput): readonly PodGcAction[] {
  const actions = new Map<string, PodGcAction>();
  const add = (action: PodGcAction) => {
    const uid = action.pod.metadata?.uid ?? '';
    if (!actions.has(uid)) actions.set(uid, action);
  };
  for (const pod of input.pods) {
    const node = pod.spec?.nodeName ?? '';
    const terminating = pod.metadata?.deletionTimestamp !== undefined;
    if (terminating && isOutOfService(input.nodes.get(node))) {
      add({ pod, disruption: undefined, why: `node ${node} is out of service` });
    } else if (node !== '' && input.goneNodes.has(node)) {
      const disruption = { reason: 'DeletionByPodGC', message: 'PodGC: node no longer exists' };
      add({ pod, disruption, why: `node ${node} no longer exists` });
    } else if (node === '' && terminating) {
      add({ pod, disruption: undefined, why: 'deleted before it was scheduled' });
    }
  }
  for (const pod of surplus(input))
    add({ pod, disruption: undefined, why: `more than ${input.terminatedMax} ended pods` });
  return [...actions.values()];
}

/** Evicted pods first, then the oldest. */
function surplus({ pods, terminatedMax }: PodGcInput): readonly Pod[] {
  if (terminatedMax <= 0) return [];
  const ended = pods.filter((pod) => !['Pending', 'Running', 'Unknown', undefined].includes(pod.status?.phase));
  if (ended.length <= terminatedMax) return [];
  const isEvicted = (pod: Pod) => Number(pod.status?.phase === 'Failed' && pod.status.reason === 'Evicted');
  const createdMs = (pod: Pod) => timeMs(pod.metadata?.creationTimestamp) ?? 0;
  ended.sort((left, right) => isEvicted(right) - isEvicted(left) || createdMs(left) - createdMs(right));
  return ended.slice(0, ended.length - terminatedMax);
}

function isOutOfService(node: Node | undefined): boolean {
  if (node === undefined || isConditionTrue(node.status?.conditions, 'Ready')) return false;
  return node.spec?.taints?.some((taint) => taint.key === OUT_OF_SERVICE_TAINT) ?? false;
}
