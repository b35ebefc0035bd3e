import {
  isConflict,
  isInvalid,
  isNotFound,
  type ObjectReference,
  objectKey,
  type Pod,
  resources,
  StatusError,
} from '@wherry/api';
import type { EventRecorder, PlanRecord } from '@wherry/client';
import { adoptionPatch, type Owner, releasePatch } from '../pods/ownership.ts';
import type { ControllerContext } from './context.ts';
import type { Keyed } from './keyed.ts';

type Action = PlanRecord['actions'][number];

/** On whose behalf pods are changed. */
export interface Actor {
  /** Key of the owner in the controller's queue. */
  readonly key: string;
  /** What events are about. */
  readonly regarding: ObjectReference;
  readonly signal: AbortSignal;
  /** Collects what was done, for the log. */
  readonly done: Action[];
}

/** How events tell of pods; most controllers say it alike. */
export interface Wording {
  created(pod: string, owner: string): string;
  notCreated(pod: string, owner: string, error: string): string;
  deleted(pod: string, owner: string): string;
  notDeleted(pod: string, owner: string, error: string): string;
}

const PLAIN: Wording = {
  created: (pod) => `Created pod: ${pod}`,
  notCreated: (_pod, _owner, error) => `Error creating: ${error}`,
  deleted: (pod) => `Deleted pod: ${pod}`,
  notDeleted: (_pod, _owner, error) => `Error deleting: ${error}`,
};

/** Creates, deletes, adopts and releases pods with upstream's events, and remembers the writes. */
export class PodActions {
  readonly #context: ControllerContext;
  readonly #keyed: Keyed;
  readonly #recorder: EventRecorder;
  readonly #wording: Wording;

  constructor(context: ControllerContext, keyed: Keyed, recorder: EventRecorder, wording: Wording = PLAIN) {
    this.#context = context;
    this.#keyed = keyed;
    this.#recorder = recorder;
    this.#wording = wording;
  }

  async create(actor: Actor, pod: Pod): Promise<Pod> {
    const { client, caches } = this.#context;
    let created: Pod;
    try {
      created = await client.create(resources.pods, pod, { signal: actor.signal });
    } catch (error) {
      // A namespace that is going away refuses everything; that is no news to its objects.
      if (!isNamespaceTerminating(error)) {
        const message = this.#wording.notCreated(pod.metadata?.name ?? '', actor.regarding.name ?? '', textOf(error));
        this.#recorder.event(actor.regarding, 'Warning', 'FailedCreate', message);
      }
      throw error;
    }
    this.#keyed.own.wrote(actor.key, caches.pods, created.metadata?.resourceVersion);
    actor.done.push({ verb: 'create', key: podKey(created), resourceVersion: created.metadata?.resourceVersion });
    const message = this.#wording.created(created.metadata?.name ?? '', actor.regarding.name ?? '');
    this.#recorder.event(actor.regarding, 'Normal', 'SuccessfulCreate', message);
    return created;
  }

  /** A pod that is gone already counts as deleted. */
  async delete(actor: Actor, pod: Pod): Promise<void> {
    const { client, caches } = this.#context;
    const { name = '', namespace = '', uid = '' } = pod.metadata ?? {};
    try {
      await client.delete(resources.pods, name, { namespace, preconditions: { uid }, signal: actor.signal });
    } catch (error) {
      // A conflict here is another pod under the same name.
      if (isNotFound(error) || isConflict(error)) return;
      const message = this.#wording.notDeleted(name, actor.regarding.name ?? '', textOf(error));
      this.#recorder.event(actor.regarding, 'Warning', 'FailedDelete', message);
      throw error;
    }
    this.#keyed.own.deleted(actor.key, caches.pods, objectKey(pod), uid);
    actor.done.push({ verb: 'delete', key: podKey(pod) });
    const message = this.#wording.deleted(name, actor.regarding.name ?? '');
    this.#recorder.event(actor.regarding, 'Normal', 'SuccessfulDelete', message);
  }

  async adopt(actor: Actor, owner: Owner, pod: Pod, finalizers: readonly string[] = []): Promise<void> {
    await this.patch(actor, pod, 'adopt', adoptionPatch(owner, pod.metadata?.uid ?? '', finalizers));
  }

  async release(actor: Actor, ownerUid: string, pod: Pod, finalizers: readonly string[] = []): Promise<void> {
    await this.patch(actor, pod, 'release', releasePatch([ownerUid], pod.metadata?.uid ?? '', finalizers));
  }

  /** Strategic merge patch; a pod that is gone or another one by now is left alone. */
  async patch(actor: Actor, pod: Pod, verb: string, patch: object, subresource?: string): Promise<void> {
    const { client, caches } = this.#context;
    const { name = '', namespace = '' } = pod.metadata ?? {};
    try {
      const patched = await client.patch(resources.pods, name, patch, {
        namespace,
        type: 'strategic',
        signal: actor.signal,
        ...(subresource !== undefined && { subresource }),
      });
      this.#keyed.own.wrote(actor.key, caches.pods, patched.metadata?.resourceVersion);
      actor.done.push({ verb, key: podKey(pod), resourceVersion: patched.metadata?.resourceVersion });
    } catch (error) {
      // A uid in the patch that is not the stored one is refused as invalid or as a conflict.
      if (!isNotFound(error) && !isInvalid(error) && !isConflict(error)) throw error;
    }
  }
}

function podKey(pod: Pod): string {
  return `pods/${objectKey(pod)}`;
}

export function isNamespaceTerminating(error: unknown): boolean {
  if (!(error instanceof StatusError)) return false;
  return error.status.details?.causes?.some((cause) => cause.reason === 'NamespaceTerminating') ?? false;
}

export function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
