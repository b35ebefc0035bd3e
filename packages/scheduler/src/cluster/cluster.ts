import { isPodTerminal, type LabelFilter, type Labels, type Node, objectKey, type Pod } from '@wherry/api';
import type { Change } from '@wherry/client';
import type { Clock, Logger } from '@wherry/daemon';
import { NodeTable } from '../framework/node-table.ts';
import { Nominations } from '../framework/nominations.ts';
import type { ClusterEvent, ClusterView } from '../framework/plugin.ts';
import { type PodInfo, podInfoOf } from '../framework/pod-info.ts';
import type { SchedulingQueue } from '../queue/scheduling-queue.ts';

export interface Surroundings {
  namespaceLabels(namespace: string): Labels | undefined;
  workloadSelector(pod: PodInfo): LabelFilter | undefined;
}

export interface ClusterOptions {
  readonly queue: SchedulingQueue;
  readonly surroundings: Surroundings;
  /** Whose pods are ours. @default 'default-scheduler' upstream */
  readonly schedulerName: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The queue may have something to do. */
  readonly wake: () => void;
  /** The pod has a node for sure, or is gone. */
  readonly settled: (key: string) => void;
}

interface Placed {
  readonly info: PodInfo;
  readonly nodeName: string;
  /** Given a node by us, and the API server has not said so yet. */
  readonly assumed: boolean;
}

/** What the API server says and what we assume of nodes and pods; feeds the queue with pods and events. */
export class Cluster implements ClusterView {
  readonly table = new NodeTable();
  readonly nominations = new Nominations();
  readonly #options: ClusterOptions;
  readonly #placed = new Map<string, Placed>();

  constructor(options: ClusterOptions) {
    this.#options = options;
  }

  namespaceLabels(namespace: string): Labels | undefined {
    return this.#options.surroundings.namespaceLabels(namespace);
  }

  workloadSelector(pod: PodInfo): LabelFilter | undefined {
    return this.#options.surroundings.workloadSelector(pod);
  }

  /** Counts the pod on the node from now on, before the API server knows. */
  assume(info: PodInfo, nodeName: string): void {
    this.nominations.delete(info.key);
    this.table.addPod(info, nodeName);
    this.#placed.set(info.key, { info, nodeName, assumed: true });
  }

  /** The assumption did not come true; does nothing once the API server has confirmed it. */
  forget(info: PodInfo): void {
    const placed = this.#placed.get(info.key);
    if (placed === undefined || !placed.assumed || placed.info.uid !== info.uid) return;
    this.#unplace(info.key, placed);
    this.#happened({ kind: 'pod-left', pod: info });
  }

  isPlaced(info: PodInfo): boolean {
    return this.#placed.get(info.key)?.info.uid === info.uid;
  }

  onNode({ kind, object, previous }: Change<Node>): void {
    if (kind === 'deleted') {
      this.table.removeNode(object.metadata?.name ?? '');
      return;
    }
    if (previous !== undefined && schedulingFacts(previous) === schedulingFacts(object)) return;
    this.table.setNode(object);
    this.#happened(
      previous === undefined ? { kind: 'node-added', node: object } : { kind: 'node-changed', node: object, previous },
    );
  }

  onPod({ kind, object, previous }: Change<Pod>): void {
    const key = objectKey(object);
    const placed = this.#placed.get(key);
    if (kind === 'deleted' || isPodTerminal(object)) {
      this.#options.queue.remove(key);
      this.nominations.delete(key);
      this.#options.settled(key);
      if (placed === undefined || placed.info.uid !== object.metadata?.uid) return;
      this.#unplace(key, placed);
      this.#happened({ kind: 'pod-left', pod: placed.info });
      return;
    }
    const nodeName = object.spec?.nodeName ?? '';
    if (nodeName !== '') {
      this.#options.settled(key);
      this.#onPlacedPod(object, nodeName, placed);
    } else if (this.#isOurs(object)) this.#onPendingPod(object, previous, placed);
    else this.#options.queue.remove(key);
  }

  #onPlacedPod(pod: Pod, nodeName: string, placed: Placed | undefined): void {
    const { queue, logger } = this.#options;
    if (placed !== undefined && placed.nodeName === nodeName && podFacts(placed.info.pod) === podFacts(pod)) {
      if (!placed.assumed) return;
      this.#placed.set(placed.info.key, { ...placed, assumed: false });
      queue.remove(placed.info.key);
      this.#happened({ kind: 'pod-placed', pod: placed.info });
      return;
    }
    const info = podInfoOf(pod);
    this.nominations.delete(info.key);
    if (placed !== undefined) {
      if (placed.nodeName !== nodeName) {
        logger.warn(
          { pod: info.key, assumed: placed.nodeName, actual: nodeName },
          'pod is on another node than assumed',
        );
      }
      this.#unplace(info.key, placed);
    }
    this.table.addPod(info, nodeName);
    this.#placed.set(info.key, { info, nodeName, assumed: false });
    queue.remove(info.key);
    const isNew = placed === undefined || placed.assumed;
    this.#happened(
      isNew ? { kind: 'pod-placed', pod: info } : { kind: 'pod-changed', pod: info, previous: placed.info },
    );
  }

  #onPendingPod(pod: Pod, previous: Pod | undefined, placed: Placed | undefined): void {
    const { queue, clock, wake } = this.#options;
    // We are binding it: what it was before is no news. A new pod under the old name is.
    if (placed !== undefined && placed.info.uid === pod.metadata?.uid) return;
    // Our own condition on it, for one, changes nothing.
    if (previous !== undefined && podFacts(previous) === podFacts(pod) && this.#isOurs(previous)) {
      if (previous.status?.nominatedNodeName === pod.status?.nominatedNodeName) return;
    }
    const info = podInfoOf(pod);
    const nominatedNode = pod.status?.nominatedNodeName ?? '';
    if (nominatedNode === '') this.nominations.delete(info.key);
    else this.nominations.set(info, nominatedNode);
    queue.update(info, clock.monotonicMs());
    wake();
  }

  /** Gated pods are not looked at before their gates are gone; pods that are being deleted never. */
  #isOurs(pod: Pod): boolean {
    return (
      (pod.spec?.schedulerName ?? this.#options.schedulerName) === this.#options.schedulerName &&
      (pod.spec?.schedulingGates ?? []).length === 0 &&
      pod.metadata?.deletionTimestamp === undefined
    );
  }

  #unplace(key: string, placed: Placed): void {
    this.table.removePod(key, placed.nodeName);
    this.#placed.delete(key);
  }

  #happened(event: ClusterEvent): void {
    const { queue, clock, wake } = this.#options;
    if (queue.onEvent(event, clock.monotonicMs()) > 0) wake();
  }
}

/** Heartbeats change a node every few seconds; only this matters here. */
function schedulingFacts({ metadata, spec, status }: Node): string {
  return JSON.stringify([metadata?.labels, spec, status?.allocatable, status?.images]);
}

/** What of a pod decides where it may be and who may be near it; its status does not. */
function podFacts({ metadata, spec }: Pod): string {
  const { nodeName: _, ...rest } = spec ?? {};
  return JSON.stringify([metadata?.uid, metadata?.labels, metadata?.deletionTimestamp !== undefined, rest]);
}
