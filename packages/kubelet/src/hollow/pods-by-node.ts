// One watch on the pods of all nodes, dealt out: each node sees its own, as if it had an informer to itself.
import type { Pod } from '@wherry/api';
import type { Change, IndexFunction, Informer } from '@wherry/client';
import type { PodSource } from '../pods/pod-source.ts';

type Handler = (change: Change<Pod>) => void;

const byNode = 'node';
const nodeOf = (pod: Pod): string => pod.spec?.nodeName ?? '';

/** For the informer that is dealt out. */
export const podIndexers: Readonly<Record<string, IndexFunction<Pod>>> = {
  [byNode]: (pod) => (nodeOf(pod) === '' ? [] : [nodeOf(pod)]),
};

export class PodsByNode {
  readonly #pods: Informer<Pod>;
  readonly #handlers = new Map<string, Set<Handler>>();

  constructor(pods: Informer<Pod>) {
    this.#pods = pods;
    // A pod never moves to another node.
    pods.onChange((change) => {
      for (const handler of this.#handlers.get(nodeOf(change.object)) ?? []) handler(change);
    });
  }

  of(nodeName: string): PodSource {
    return {
      synced: (signal) => this.#pods.synced(signal),
      list: () => this.#pods.byIndex(byNode, nodeName),
      get: (key) => {
        const pod = this.#pods.get(key);
        return pod !== undefined && nodeOf(pod) === nodeName ? pod : undefined;
      },
      onChange: (handler) => {
        const handlers = this.#handlers.get(nodeName) ?? new Set();
        this.#handlers.set(nodeName, handlers.add(handler));
        for (const object of this.#pods.byIndex(byNode, nodeName)) {
          const key = `${object.metadata?.namespace ?? ''}/${object.metadata?.name ?? ''}`;
          handler({ kind: 'added', key, object, previous: undefined });
        }
        return () => void handlers.delete(handler);
      },
    };
  }
}
