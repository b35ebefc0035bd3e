// Brings what the kubelet knows of its pods to the API: only changes, the latest state only, and the end of a pod that
// was deleted. The API server may be away for as long as it likes.
import { isConflict, isNotFound, isPodTerminal, type Pod, type PodStatus, resources } from '@wherry/api';
import { type ApiClient, runWorkers, WorkQueue } from '@wherry/client';
import type { Clock, Logger, Scope } from '@wherry/daemon';
import { statusPatch } from '../plan/pod-status.ts';
import type { PodSource } from './pod-source.ts';

export interface StatusManagerOptions {
  /** Writes in the name of a node. */
  readonly client: (nodeName: string) => ApiClient;
  readonly pods: PodSource;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly scope: Scope;
  /** Writes at once. @default 8 */
  readonly writers?: number;
}

/** What the API has, as far as it matters here. */
interface Known {
  readonly revision: bigint;
  readonly status: PodStatus | undefined;
  readonly deleted: boolean;
}

interface Entry {
  readonly namespace: string;
  readonly name: string;
  readonly nodeName: string;
  status: PodStatus;
  /** The pod's end has been carried out: remove the object once its last status is written. */
  finished: boolean;
  /** Its object has been removed: there is nothing left to tell. */
  removed: boolean;
  /** What a write of ours returned, until the informer has caught up with it. */
  written: Known | undefined;
}

const writersDefault = 8;
/** Who writes against us is answered no faster than this. */
const disputeMs = 50;
const backoff = { baseMs: 200, maxMs: 3_000 };

function knownOf(pod: Pod): Known {
  return {
    revision: BigInt(pod.metadata?.resourceVersion ?? '0'),
    status: pod.status,
    deleted: pod.metadata?.deletionTimestamp !== undefined,
  };
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
    const { scope, logger, writers = writersDefault } = this.#options;
    runWorkers({
      name: 'pod-status',
      queue: this.#queue,
      workers: writers,
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
    else {
      const { namespace = '', name = '' } = pod.metadata ?? {};
      const nodeName = pod.spec?.nodeName ?? '';
      this.#entries.set(uid, {
        namespace,
        name,
        nodeName,
        status,
        finished: false,
        removed: false,
        written: undefined,
      });
    }
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

  /** The API shows a pod: an echo of ours, or somebody else has written what only its kubelet can know. */
  seen(pod: Pod): void {
    const entry = this.#entries.get(pod.metadata?.uid ?? '');
    if (entry === undefined) return;
    const known = knownOf(pod);
    if (entry.written !== undefined && entry.written.revision > known.revision) return;
    entry.written = undefined;
    // Somebody who ended the pod for good is right.
    if (isPodTerminal(pod) && entry.status.phase !== known.status?.phase) return;
    if (statusPatch(known.status, entry.status) !== undefined) this.#queue.addAfter(pod.metadata?.uid ?? '', disputeMs);
    // The same: one copy in memory is enough, unless others have conditions of theirs in it.
    else if (known.status?.conditions?.length === entry.status.conditions?.length) entry.status = known.status ?? {};
  }

  /** The newest state known: the informer's, or what a write returned before the informer saw it. */
  #current(uid: string): Known | undefined {
    const entry = this.#entries.get(uid);
    if (entry === undefined) return undefined;
    if (entry.written !== undefined) return entry.written;
    const cached = this.#options.pods.get(`${entry.namespace}/${entry.name}`);
    return cached?.metadata?.uid === uid ? knownOf(cached) : undefined;
  }

  async #write(uid: string): Promise<void> {
    const entry = this.#entries.get(uid);
    const current = this.#current(uid);
    if (entry === undefined || entry.removed || current === undefined) return;
    const { namespace, name, nodeName } = entry;
    const client = this.#options.client(nodeName);
    try {
      const patch = statusPatch(current.status, entry.status);
      if (patch !== undefined) {
        // The uid makes the server refuse if another pod has taken the name.
        const body = { metadata: { uid }, status: patch };
        const written = knownOf(
          await client.patch(resources.pods, name, body, { namespace, subresource: 'status', type: 'strategic' }),
        );
        // The informer may be ahead of this answer already.
        const seen = this.#current(uid);
        if (seen === undefined || written.revision > seen.revision) entry.written = written;
      }
      if (!entry.finished || this.#current(uid)?.deleted !== true) return;
      await client.delete(resources.pods, name, { namespace, gracePeriodSeconds: 0, preconditions: { uid } });
      entry.removed = true;
    } catch (error) {
      // Gone, or replaced by another of the same name: nobody is left to tell.
      if (!isNotFound(error) && !isConflict(error)) throw error;
      const stillExists = this.#options.pods.get(`${namespace}/${name}`)?.metadata?.uid === uid;
      if (isConflict(error) && stillExists) throw error;
    }
  }
}
