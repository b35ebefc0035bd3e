import {
  type ApiObject,
  isConflict,
  isNotFound,
  objectKey,
  type Resource,
  type ResourceQuota,
  resources,
} from '@wherry/api';
import type { Change, Informer, Outcome } from '@wherry/client';
import { BY_NAMESPACE } from '../../spine/caches.ts';
import type { ControllerContext } from '../../spine/context.ts';
import { anyCache, Keyed } from '../../spine/keyed.ts';
import { countedResources, givesBack, planQuota } from './plan.ts';

export function startResourceQuotas(context: ControllerContext): void {
  new ResourceQuotaController(context).start();
}

/**
 * Counts what quotas are used for. The API server reserves before it creates; this takes the place of its sums when
 * objects go, when a quota's limits change, and every few minutes, for reservations of what then was not created.
 */
class ResourceQuotaController {
  readonly #context: ControllerContext;
  readonly #quotas: Informer<ResourceQuota>;
  readonly #keyed: Keyed;
  readonly #followed = new Set<Informer<ApiObject>>();

  constructor(context: ControllerContext) {
    this.#context = context;
    this.#quotas = context.caches.of(resources.resourcequotas);
    this.#keyed = new Keyed(context, 'resourcequota-controller');
  }

  start(): void {
    // What the API server adds to a status must not be counted at once: the objects are not there yet.
    this.#keyed.follow(this.#quotas, ({ key, object, previous }) =>
      previous !== undefined && sameAmounts(previous.spec?.hard, object.spec?.hard) && isCounted(object) ? [] : [key],
    );
    this.#keyed.run(this.#context.options.concurrent.resourceQuota, [anyCache(this.#quotas)], (key, signal) =>
      this.#reconcile(key, signal),
    );
  }

  async #reconcile(key: string, signal: AbortSignal): Promise<Outcome | undefined> {
    const counted = countedResources(Object.keys(this.#quotas.get(key)?.spec?.hard ?? {}));
    for (const resource of counted) {
      const informer = this.#informer(resource);
      if (!informer.hasSynced) await informer.synced(signal);
    }
    const quota = this.#quotas.get(key);
    if (quota === undefined) return undefined;
    const { client, clock, options } = this.#context;
    const namespace = quota.metadata?.namespace ?? '';
    const status = planQuota(quota, (resource) => this.#objects(resource, namespace), clock.now());
    if (status === undefined) return { requeueAfterMs: options.resourceQuotaSyncPeriodMs };
    try {
      const write = { subresource: 'status', signal };
      const written = await client.update(resources.resourcequotas, { ...quota, status }, write);
      const { resourceVersion } = written.metadata ?? {};
      this.#keyed.own.wrote(key, this.#quotas, resourceVersion);
      const actions = [{ verb: 'update-status', key: `resourcequotas/${key}`, resourceVersion }];
      this.#keyed.acted(key, [quota], 'its usage was counted', actions);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      // The API server reserved something meanwhile: its objects come, then it is counted again.
      if (isConflict(error)) return { requeueAfterMs: CONFLICT_RETRY_MS };
      throw error;
    }
    return { requeueAfterMs: options.resourceQuotaSyncPeriodMs };
  }

  #objects(resource: Resource, namespace: string): readonly ApiObject[] {
    const informer = this.#informer(resource);
    const isIndexed = indexed.has(`${resource.group}/${resource.resource}`);
    return isIndexed
      ? informer.byIndex(BY_NAMESPACE, namespace)
      : informer.list().filter(({ metadata }) => metadata?.namespace === namespace);
  }

  /** Resources are watched from when the first quota counts them. */
  #informer(resource: Resource): Informer<ApiObject> {
    const informer = this.#context.caches.of(resource);
    if (!this.#followed.has(informer)) {
      this.#followed.add(informer);
      this.#keyed.follow(informer, (change) => this.#replenished(resource, change));
    }
    return informer;
  }

  #replenished(resource: Resource, { kind, object, previous }: Change<ApiObject>): readonly string[] {
    const quotas = this.#quotas.byIndex(BY_NAMESPACE, object.metadata?.namespace ?? '');
    if (quotas.length === 0) return [];
    const next = kind === 'deleted' ? undefined : object;
    if (!givesBack(resource, previous, next, this.#context.clock.now())) return [];
    return quotas
      .filter(({ spec }) => countedResources(Object.keys(spec?.hard ?? {})).includes(resource))
      .map(objectKey);
  }
}

const CONFLICT_RETRY_MS = 500;
/** Caches that have an index by namespace. */
const indexed: ReadonlySet<string> = new Set(['/pods', '/services', '/resourcequotas', '/persistentvolumeclaims']);

type Amounts = Readonly<Record<string, string>> | undefined;

function isCounted({ spec, status }: ResourceQuota): boolean {
  return sameAmounts(spec?.hard, status?.hard) && Object.keys(spec?.hard ?? {}).every((name) => status?.used?.[name]);
}

function sameAmounts(left: Amounts = {}, right: Amounts = {}): boolean {
  const names = Object.keys(left);
  return names.length === Object.keys(right).length && names.every((name) => left[name] === right[name]);
}
