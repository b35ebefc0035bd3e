import type { ApiObject } from '@wherry/api';
import type { Clock, Logger } from '@wherry/daemon';
import type { Informer } from '../informer/informer.ts';

type Awaited =
  | { readonly kind: 'version'; readonly informer: Informer<ApiObject>; readonly resourceVersion: bigint }
  | { readonly kind: 'deletion'; readonly informer: Informer<ApiObject>; readonly key: string; readonly uid: string };

interface Owner {
  awaited: Awaited[];
  deadlineMs: number;
  /** Somebody asked and was told to wait. */
  waiting: boolean;
}

/** How long a cache may lag behind a write before the worker plans on what it sees. */
const LAG_MS_MAX = 30_000;

/**
 * What a worker has written and its caches have not shown yet. A plan made before that would repeat the writes: so a
 * worker asks `settled` first, and is called again (through `requeue`) once the caches have caught up.
 */
export class OwnWrites {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #requeue: (ownerKey: string) => void;
  readonly #owners = new Map<string, Owner>();
  readonly #followed = new Set<Informer<ApiObject>>();

  constructor(clock: Clock, logger: Logger, requeue: (ownerKey: string) => void) {
    this.#clock = clock;
    this.#logger = logger;
    this.#requeue = requeue;
  }

  /** The owner's worker created or updated an object of `informer`'s resource. */
  wrote<T extends ApiObject>(ownerKey: string, informer: Informer<T>, resourceVersion: string | undefined): void {
    if (resourceVersion === undefined || resourceVersion === '') return;
    const version = BigInt(resourceVersion);
    if (informer.resourceVersion >= version) return;
    this.#await(ownerKey, { kind: 'version', informer: informer as Informer<ApiObject>, resourceVersion: version });
  }

  /** The owner's worker deleted an object: settled once the cache shows it gone or terminating. */
  deleted<T extends ApiObject>(ownerKey: string, informer: Informer<T>, objectKey: string, uid: string): void {
    const awaited: Awaited = { kind: 'deletion', informer: informer as Informer<ApiObject>, key: objectKey, uid };
    if (!isSeen(awaited)) this.#await(ownerKey, awaited);
  }

  /** Whether the caches show all of the owner's writes; if not, its key is queued again when they do. */
  settled(ownerKey: string): boolean {
    const owner = this.#owners.get(ownerKey);
    if (owner === undefined) return true;
    owner.awaited = owner.awaited.filter((awaited) => !isSeen(awaited));
    if (owner.awaited.length === 0) {
      this.#owners.delete(ownerKey);
      return true;
    }
    if (this.#clock.monotonicMs() >= owner.deadlineMs) {
      this.#logger.warn({ key: ownerKey, lagMs: LAG_MS_MAX }, 'cache has not shown our own writes, planning anyway');
      this.#owners.delete(ownerKey);
      return true;
    }
    if (!owner.waiting) {
      owner.waiting = true;
      this.#clock.setTimer(owner.deadlineMs - this.#clock.monotonicMs(), () => this.#wake(ownerKey, owner));
    }
    return false;
  }

  /** The owner is gone: nothing to wait for. */
  forget(ownerKey: string): void {
    this.#owners.delete(ownerKey);
  }

  #await(ownerKey: string, awaited: Awaited): void {
    this.#follow(awaited.informer);
    const owner = this.#owners.get(ownerKey) ?? { awaited: [], deadlineMs: 0, waiting: false };
    owner.awaited.push(awaited);
    owner.deadlineMs = this.#clock.monotonicMs() + LAG_MS_MAX;
    this.#owners.set(ownerKey, owner);
  }

  #follow(informer: Informer<ApiObject>): void {
    if (this.#followed.has(informer)) return;
    this.#followed.add(informer);
    informer.onProgress(() => {
      for (const [ownerKey, owner] of this.#owners) {
        if (owner.waiting && owner.awaited.every(isSeen)) this.#wake(ownerKey, owner);
      }
    });
  }

  #wake(ownerKey: string, owner: Owner): void {
    if (!owner.waiting || this.#owners.get(ownerKey) !== owner) return;
    owner.waiting = false;
    this.#requeue(ownerKey);
  }
}

function isSeen(awaited: Awaited): boolean {
  if (awaited.kind === 'version') return awaited.informer.resourceVersion >= awaited.resourceVersion;
  const metadata = awaited.informer.get(awaited.key)?.metadata;
  return metadata?.uid !== awaited.uid || metadata.deletionTimestamp !== undefined;
}
