import { type ApiObject, isNotFound, type Namespace, type Resource, resources, statusErrorOf } from '@wherry/api';
import type { Informer, Outcome, PlanRecord } from '@wherry/client';
import { rfc3339 } from '@wherry/daemon';
import { actOnEach } from '../../spine/batches.ts';
import type { ControllerContext } from '../../spine/context.ts';
import { collectable, type Discovered, type DiscoveredResource, discover, isEvents } from '../../spine/discovery.ts';
import { anyCache, Keyed } from '../../spine/keyed.ts';
import { textOf } from '../../spine/pod-actions.ts';
import { groupResource, KUBERNETES_FINALIZER, planNamespace, type Round } from './plan.ts';

/**
 * Between a namespace being marked and the first look into it: a create that was let in just before has landed by
 * then. Upstream waits 5 s because its API servers may lag; ours check namespaces by consistent reads.
 */
const SETTLE_MS = 250;
/** Deletions in a terminating namespace bring it back after this long, many of them at once. */
const GATHER_MS = 50;
/** Items of one page of a list. */
const PAGE_LIMIT = 500;
const BACKOFF = { baseMs: 500, maxMs: 60_000 };

export function startNamespaces(context: ControllerContext): void {
  new NamespaceController(context).start();
}

class NamespaceController {
  readonly #context: ControllerContext;
  readonly #namespaces: Informer<Namespace>;
  readonly #keyed: Keyed;
  readonly #followed = new Set<string>();

  constructor(context: ControllerContext) {
    this.#context = context;
    this.#namespaces = context.caches.of(resources.namespaces);
    this.#keyed = new Keyed(context, 'namespace-controller', BACKOFF);
  }

  start(): void {
    const { scope, options } = this.#context;
    const stop = this.#namespaces.onChange(({ key, object, kind }) => {
      if (kind !== 'deleted' && isTerminating(object)) this.#keyed.queue.addAfter(key, SETTLE_MS);
    });
    scope.onClose(stop);
    const workers = options.concurrent.namespace;
    this.#keyed.run(workers, [anyCache(this.#namespaces)], (key, signal) => this.#reconcile(key, signal));
  }

  async #reconcile(name: string, signal: AbortSignal): Promise<Outcome | undefined> {
    const { client, clock } = this.#context;
    const namespace = this.#namespaces.get(name);
    if (namespace === undefined || !isTerminating(namespace)) return undefined;
    if (!namespace.spec?.finalizers?.includes(KUBERNETES_FINALIZER)) return undefined;
    const discovered = await discover(client, signal);
    this.#follow(discovered.resources);
    const done: PlanRecord['actions'][number][] = [];
    const round = await this.#empty(name, discovered, signal, done);
    const step = planNamespace(namespace, round, rfc3339(clock.now()));
    try {
      if (step.kind === 'finalize') await this.#finalize(namespace, signal, done);
      else if (step.conditions !== undefined) await this.#report(namespace, step.conditions, signal, done);
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
    this.#keyed.acted(name, [namespace], step.why, done);
    return step.kind === 'wait' ? { requeueAfterMs: step.afterMs } : undefined;
  }

  /** The last object's end is what a terminating namespace waits for. */
  #follow(discovered: readonly DiscoveredResource[]): void {
    for (const resource of discovered) {
      const key = `${resource.group}/${resource.resource}`;
      if (!resource.namespaced || !collectable(resource) || this.#followed.has(key)) continue;
      this.#followed.add(key);
      const stop = this.#context.caches.of(resource).onChange(({ kind, object }) => {
        const namespace = this.#namespaces.get(object.metadata?.namespace ?? '');
        if (kind !== 'deleted' || namespace === undefined || !isTerminating(namespace)) return;
        this.#keyed.queue.addAfter(namespace.metadata?.name ?? '', GATHER_MS);
      });
      this.#context.scope.onClose(stop);
    }
  }

  /** Pods first: what they use (secrets, policies, accounts) must outlive them. */
  async #empty(
    namespace: string,
    discovered: Discovered,
    signal: AbortSignal,
    done: PlanRecord['actions'][number][],
  ): Promise<Round> {
    const round = {
      discoveryFailures: discovered.failed,
      deletionFailures: [] as string[],
      remaining: new Map<string, number>(),
      finalizers: new Map<string, number>(),
      graceSeconds: 0,
    };
    await this.#emptyResource(resources.pods, true, namespace, round, signal, done);
    if (round.remaining.size + round.deletionFailures.length > 0) return round;
    const others = discovered.resources.filter(
      (resource) =>
        resource.namespaced &&
        ['delete', 'list'].every((verb) => resource.verbs.includes(verb)) &&
        !(resource.group === '' && resource.resource === 'pods') &&
        !(isEvents(resource) && resource.group !== ''),
    );
    await actOnEach(others, (resource) => {
      const together = resource.verbs.includes('deletecollection');
      return this.#emptyResource(resource, together, namespace, round, signal, done);
    });
    return round;
  }

  async #emptyResource(
    resource: Resource,
    together: boolean,
    namespace: string,
    round: {
      deletionFailures: string[];
      remaining: Map<string, number>;
      finalizers: Map<string, number>;
      graceSeconds: number;
    },
    signal: AbortSignal,
    done: PlanRecord['actions'][number][],
  ): Promise<void> {
    const { client } = this.#context;
    try {
      const before = await this.#list(resource, namespace, signal);
      if (before.length === 0) return;
      if (before.some((object) => object.metadata?.deletionTimestamp === undefined)) {
        const options = { namespace, propagationPolicy: 'Background', signal } as const;
        if (together) await client.deleteCollection(resource, options);
        else await actOnEach(before, (object) => this.#deleteOne(resource, object, namespace, signal));
        done.push({ verb: 'deletecollection', key: `${resource.resource}/${namespace}` });
      }
      const after = await this.#list(resource, namespace, signal);
      if (after.length === 0) return;
      round.remaining.set(groupResource(resource), after.length);
      for (const { metadata } of after) {
        round.graceSeconds = Math.max(round.graceSeconds, metadata?.deletionGracePeriodSeconds ?? 0);
        for (const finalizer of metadata?.finalizers ?? []) {
          round.finalizers.set(finalizer, (round.finalizers.get(finalizer) ?? 0) + 1);
        }
      }
    } catch (error) {
      if (signal.aborted) throw error;
      // A resource that is gone has no content; one that does not list or delete cannot hold us up either.
      if (isNotFound(error) || statusErrorOf(error)?.code === 405) return;
      round.deletionFailures.push(`${groupResource(resource)}: ${textOf(error)}`);
    }
  }

  async #deleteOne(resource: Resource, object: ApiObject, namespace: string, signal: AbortSignal): Promise<void> {
    try {
      const options = { namespace, propagationPolicy: 'Background', signal } as const;
      await this.#context.client.delete(resource, object.metadata?.name ?? '', options);
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  async #list(resource: Resource, namespace: string, signal: AbortSignal): Promise<readonly ApiObject[]> {
    const items: ApiObject[] = [];
    let token: string | undefined;
    do {
      const options = { namespace, signal, limit: PAGE_LIMIT, ...(token !== undefined && { continue: token }) };
      const page = await this.#context.client.list(resource, options);
      items.push(...page.items);
      token = page.metadata.continue;
    } while (token !== undefined && token !== '');
    return items;
  }

  async #report(
    namespace: Namespace,
    conditions: NonNullable<NonNullable<Namespace['status']>['conditions']>,
    signal: AbortSignal,
    done: PlanRecord['actions'][number][],
  ): Promise<void> {
    const status = { ...namespace.status, phase: 'Terminating', conditions };
    const options = { subresource: 'status', signal };
    const written = await this.#context.client.update(resources.namespaces, { ...namespace, status }, options);
    this.#wrote('update-status', namespace, written, done);
  }

  /** The server removes a namespace whose last finalizer goes. */
  async #finalize(namespace: Namespace, signal: AbortSignal, done: PlanRecord['actions'][number][]): Promise<void> {
    const finalizers = (namespace.spec?.finalizers ?? []).filter((finalizer) => finalizer !== KUBERNETES_FINALIZER);
    const body = { apiVersion: 'v1', kind: 'Namespace', ...namespace, spec: { ...namespace.spec, finalizers } };
    const options = { subresource: 'finalize', signal };
    const written = await this.#context.client.update(resources.namespaces, body, options);
    this.#wrote('finalize', namespace, written, done);
  }

  #wrote(verb: string, namespace: Namespace, written: Namespace, done: PlanRecord['actions'][number][]): void {
    const { resourceVersion } = written.metadata ?? {};
    const name = namespace.metadata?.name ?? '';
    this.#keyed.own.wrote(name, this.#namespaces, resourceVersion);
    done.push({ verb, key: `namespaces/${name}`, resourceVersion });
  }
}

function isTerminating(namespace: Namespace): boolean {
  return namespace.metadata?.deletionTimestamp !== undefined;
}
