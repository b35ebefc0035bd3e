import { firstRefusal, type PreparedFilters, prepareFilters } from './cycle.ts';
import type { ClusterView, FilterPlugin, Refusal } from './plugin.ts';
import type { PodInfo } from './pod-info.ts';

/**
 * Pods for which room is being made on a node. Until they get there, pods that matter no more than they do see the
 * node as if they were there already: otherwise the room would go to whoever comes first.
 */
export class Nominations {
  readonly #nodeOf = new Map<string, string>();
  readonly #byNode = new Map<string, Map<string, PodInfo>>();

  set(pod: PodInfo, nodeName: string): void {
    this.delete(pod.key);
    this.#nodeOf.set(pod.key, nodeName);
    const pods = this.#byNode.get(nodeName) ?? new Map<string, PodInfo>();
    this.#byNode.set(nodeName, pods.set(pod.key, pod));
  }

  delete(key: string): void {
    const nodeName = this.#nodeOf.get(key);
    if (nodeName === undefined) return;
    this.#nodeOf.delete(key);
    const pods = this.#byNode.get(nodeName);
    pods?.delete(key);
    if (pods?.size === 0) this.#byNode.delete(nodeName);
  }

  /** Pods nominated to a node that matter less than `priority`. */
  lesserAt(nodeName: string, priority: number): readonly PodInfo[] {
    return [...(this.#byNode.get(nodeName)?.values() ?? [])].filter((pod) => pod.priority < priority);
  }

  /** Checks a node with the pods nominated to it, and without: they may not come, and affinity may rest on them. */
  check(
    pod: PodInfo,
    row: number,
    prepared: PreparedFilters,
    filters: readonly FilterPlugin[],
    view: ClusterView,
  ): Refusal | undefined {
    const plain = firstRefusal(prepared.checks, row);
    const name = view.table.names[row] ?? '';
    const nominated = this.#byNode.get(name);
    if (plain !== undefined || nominated === undefined) return plain;
    const guests = [...nominated.values()].filter(({ key, priority }) => key !== pod.key && priority >= pod.priority);
    if (guests.length === 0) return undefined;
    for (const guest of guests) view.table.addPod(guest, name);
    const refusal = firstRefusal(prepareFilters(pod, filters, view).checks, row);
    for (const guest of guests) view.table.removePod(guest.key, name);
    return refusal;
  }
}
