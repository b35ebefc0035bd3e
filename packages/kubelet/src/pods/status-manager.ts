// Brings what the kubelet knows of its pods to the API: only changes, the latest state only, and the end of a pod that
// was deleted. The API server may be away for as long as it likes.
import { isConflict, isNotFound, type Pod, type PodStatus, resources } from '@wherry/api';
import { type ApiClient, type Informer, runWorkers, WorkQueue } from '@wherry/client';
import type { Clock, Logger, Scope } from '@wherry/daemon';
import { statusPatch } from '../plan/pod-status.ts';

export interface StatusManagerOptions {
  readonly client: ApiClient;
  readonly pods: Informer<Pod>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly scope: Scope;
}

interface Entry {
  readonly pod: Pod;
  status: PodStatus;
  /** The pod's end has been carried out: remove the object once its last status is written. */
  finished: boolean;
  /** The newest version of the object that a write of ours returned. */
  written: Pod | undefined;
}

const writersMax = 8;
const backoff = { baseMs: 200, maxMs: 3_000 };

function revision(pod: Pod | undefined): bigint {
  return BigInt(pod?.metadata?.resourceVersion ?? '0');
}

export class StatusManager {
  readonly #options: StatusManagerOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #queue: WorkQueue;

  constructor(options: StatusManagerOptions) {
    this.#options = options;
    this.#queue = new WorkQueue(options.clock, backoff);
  }

  start(): void {
    const { scope, logger } = this.#options;
    runWorkers({
      name: 'pod-status',
      queue: this.#queue,
      workers: writersMax,
      scope,
      logger,
      reconcile: (uid) => this.#write(uid),
    });
  }

  /** The status that was last set, written or not. */
  get(uid: string): PodStatus | undefined {
    return this.#entries.get(uid)?.status;
  }

  set(pod: Pod, status: PodStatus): void {
    const uid = pod.metadata?.uid ?? '';
    const entry = this.#entries.get(uid);
    if (entry !== undefined) entry.status = status;
    else this.#entries.set(uid, { pod, status, finished: false, written: undefined });
    if (statusPatch(this.#current(uid)?.status, status) !== undefined) this.#queue.add(uid);
  }

  /** Nothing of the pod is left on this node: its object may go. */
  finish(uid: string): void {
    const entry = this.#entries.get(uid);
    if (entry === undefined) return;
    entry.finished = true;
    this.#queue.add(uid);
  }

  forget(uid: string): void {
    this.#entries.delete(uid);
    this.#queue.forget(uid);
  }

  /** The newest object known: the informer's, or one that a write returned before the informer saw it. */
  #current(uid: string): Pod | undefined {
    const entry = this.#entries.get(uid);
    if (entry === undefined) return undefined;
    const { namespace = '', name = '' } = entry.pod.metadata ?? {};
    const cached = this.#options.pods.get(`${namespace}/${name}`);
    const own = cached?.metadata?.uid === uid ? cached : undefined;
    return revision(entry.written) > revision(own) ? entry.written : own;
  }

  async #write(uid: string): Promise<void> {
    const entry = this.#entries.get(uid);
    const current = this.#current(uid);
    if (entry === undefined || current === undefined) return;
    const { client } = this.#options;
    const { namespace = '', name = '' } = entry.pod.metadata ?? {};
    try {
      const patch = statusPatch(current.status, entry.status);
      if (patch !== undefined) {
        // The uid makes the server refuse if another pod has taken the name.
        const body = { metadata: { uid }, status: patch };
        entry.written = await client.patch(resources.pods, name, body, {
          namespace,
          subresource: 'status',
          type: 'strategic',
        });
      }
      const deleted = (entry.written ?? current).metadata?.deletionTimestamp ?? current.metadata?.deletionTimestamp;
      if (!entry.finished || deleted === undefined) return;
      await client.delete(resources.pods, name, { namespace, gracePeriodSeconds: 0, preconditions: { uid } });
    } catch (error) {
      // Gone, or replaced by another of the same name: nobody is left to tell.
      if (!isNotFound(error) && !isConflict(error)) throw error;
      if (isConflict(error) && this.#stillExists(uid)) throw error;
    }
  }

  #stillExists(uid: string): boolean {
    const { namespace = '', name = '' } = this.#entries.get(uid)?.pod.metadata ?? {};
    return this.#options.pods.get(`${namespace}/${name}`)?.metadata?.uid === uid;
  }
}
