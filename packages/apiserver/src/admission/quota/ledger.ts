import { conflict, isConflict, isNotFound, type ResourceQuota, resources, StatusError } from '@wherry/api';
import type { Clock } from '@wherry/daemon';
import type { ObjectReader } from '../../cache/object-reader.ts';
import type { ObjectStore } from '../../registry/object-store.ts';
import type { StoredKind } from '../../registry/served-kind.ts';
import { chargeQuotas, type LimitedResource, type QuotaRequest } from './charge.ts';

/** Upstream tries as often again when another server was faster. */
const RETRIES = 3;
/** Namespaces whose last written quotas are remembered; the cache knows them too, a moment later. */
const REMEMBERED_MAX = 1_000;

export interface LedgerOptions {
  readonly reader: ObjectReader;
  readonly store: ObjectStore;
  /** The stored kind of resourcequotas. */
  readonly quotas: StoredKind;
  readonly clock: Clock;
  readonly limitedResources: readonly LimitedResource[];
}

interface Waiter {
  readonly request: QuotaRequest;
  readonly dryRun: boolean;
  /** '' when it fits. */
  settle(reason: string): void;
  fail(error: unknown): void;
}

/**
 * Reserves amounts in quotas before objects are written. Requests of one namespace that arrive while a reservation is
 * being written wait and go into the next one together: a thousand creations cost a few writes, none of which collide.
 */
export class QuotaLedger {
  readonly #options: LedgerOptions;
  readonly #waiting = new Map<string, Waiter[]>();
  readonly #written = new Map<string, ResourceQuota>();

  constructor(options: LedgerOptions) {
    this.#options = options;
  }

  /** Whether a request in this namespace has to be looked at; costs a look into the cache. */
  isNeeded(namespace: string): boolean {
    return this.#options.limitedResources.length > 0 || this.#options.quotas.cache.snapshot(namespace).some(isFilled);
  }

  /** Why the request does not fit, '' once its amounts are reserved. @throws StatusError when they cannot be */
  reserve(namespace: string, request: QuotaRequest, dryRun: boolean): Promise<string> {
    return new Promise((settle, fail) => {
      const waiter: Waiter = { request, dryRun, settle, fail };
      const queue = this.#waiting.get(namespace);
      if (queue !== undefined) {
        queue.push(waiter);
        return;
      }
      this.#waiting.set(namespace, []);
      void this.#work(namespace, [waiter]);
    });
  }

  /** Never rejects: whatever goes wrong is told to those who wait. */
  async #work(namespace: string, first: readonly Waiter[]): Promise<void> {
    for (let batch = first; batch.length > 0; batch = this.#next(namespace)) {
      try {
        await this.#settle(namespace, batch, this.#quotasIn(namespace), RETRIES);
      } catch (error) {
        for (const waiter of batch) {
          waiter.fail(error);
        }
      }
    }
  }

  #next(namespace: string): readonly Waiter[] {
    const queue = this.#waiting.get(namespace) ?? [];
    if (queue.length === 0) {
      this.#waiting.delete(namespace);
    } else {
      this.#waiting.set(namespace, []);
    }
    return queue;
  }

  async #settle(
    namespace: string,
    batch: readonly Waiter[],
    before: readonly ResourceQuota[],
    retries: number,
  ): Promise<void> {
    const { clock, limitedResources } = this.#options;
    let quotas = before;
    const changed = new Set<number>();
    const reserving: Waiter[] = [];
    for (const waiter of batch) {
      const charge = chargeQuotas(quotas, waiter.request, limitedResources, clock.now());
      if (charge.kind === 'refused') {
        waiter.settle(charge.reason);
      } else if (waiter.dryRun || charge.changed.length === 0) {
        waiter.settle('');
      } else {
        quotas = charge.quotas;
        for (const index of charge.changed) {
          changed.add(index);
        }
        reserving.push(waiter);
      }
    }
    const lost: { readonly name: string; readonly error: StatusError }[] = [];
    for (const index of changed) {
      const quota = quotas[index];
      const error = quota === undefined ? undefined : await this.#write(namespace, quota);
      if (error !== undefined) {
        lost.push({ name: quota?.metadata?.name ?? '', error });
      }
    }
    if (lost.length === 0) {
      for (const waiter of reserving) {
        waiter.settle('');
      }
      return;
    }
    if (retries === 0) {
      throw lost[0]?.error;
    }
    // The others are reserved already. A quota that is gone limits nobody any more.
    await this.#options.store.fresh();
    const again = this.#quotasIn(namespace).filter(({ metadata }) => lost.some(({ name }) => name === metadata?.name));
    await this.#settle(namespace, reserving, again, retries - 1);
  }

  /** The conflict, when the quota is not any more what the decision was based on. */
  async #write(namespace: string, quota: ResourceQuota): Promise<StatusError | undefined> {
    const { store, quotas } = this.#options;
    const { name = '', resourceVersion } = quota.metadata ?? {};
    try {
      const { entry } = await store.update(quotas, namespace, name, { dryRun: false }, (current) => {
        if (String(current.revision) !== resourceVersion) {
          throw changedMeanwhile(name);
        }
        return { kind: 'write', object: quota };
      });
      this.#remember(`${namespace}/${name}`, entry.object() as ResourceQuota);
      return undefined;
    } catch (error) {
      if (error instanceof StatusError && (isConflict(error) || isNotFound(error))) {
        this.#written.delete(`${namespace}/${name}`);
        return error;
      }
      throw error;
    }
  }

  #remember(key: string, quota: ResourceQuota): void {
    this.#written.delete(key);
    this.#written.set(key, quota);
    const oldest = this.#written.keys().next().value;
    if (this.#written.size > REMEMBERED_MAX && oldest !== undefined) {
      this.#written.delete(oldest);
    }
  }

  /** As the cache knows them, or as this server has just written them. */
  #quotasIn(namespace: string): readonly ResourceQuota[] {
    return [...this.#options.reader.all(resources.resourcequotas, namespace)].map((quota) => {
      const { name = '', uid, resourceVersion = '0' } = quota.metadata ?? {};
      const written = this.#written.get(`${namespace}/${name}`);
      const isNewer =
        written?.metadata?.uid === uid && Number(written?.metadata?.resourceVersion ?? 0) > Number(resourceVersion);
      return isNewer && written !== undefined ? written : quota;
    });
  }
}

function isFilled(entries: readonly unknown[]): boolean {
  return entries.length > 0;
}

function changedMeanwhile(name: string): StatusError {
  return conflict(resources.resourcequotas, name);
}
