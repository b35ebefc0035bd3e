import { type Endpoints, isNotFound, objectKey, type Pod, resources, type Service } from '@wherry/api';
import type { EventRecorder, Informer, Outcome, PlanRecord } from '@wherry/client';
import { BY_NAMESPACE } from '../../spine/caches.ts';
import { type ControllerContext, referenceTo } from '../../spine/context.ts';
import { anyCache, Keyed } from '../../spine/keyed.ts';
import { isNamespaceTerminating, textOf } from '../../spine/pod-actions.ts';
import { affectsEndpoints, isSelecting, selects } from '../endpoint-slice/selection.ts';
import { planEndpoints } from './plan.ts';

const BACKOFF = { baseMs: 1_000, maxMs: 1_000_000 };

export function startEndpoints(context: ControllerContext): void {
  new EndpointsController(context).start();
}

/** The older, single-object form of a Service's endpoints. */
class EndpointsController {
  readonly #context: ControllerContext;
  readonly #services: Informer<Service>;
  readonly #endpoints: Informer<Endpoints>;
  readonly #keyed: Keyed;
  readonly #recorder: EventRecorder;

  constructor(context: ControllerContext) {
    this.#context = context;
    this.#services = context.caches.of(resources.services);
    this.#endpoints = context.caches.of(resources.endpoints);
    this.#keyed = new Keyed(context, 'endpoints-controller', BACKOFF);
    this.#recorder = context.recorder('endpoint-controller');
  }

  start(): void {
    const { pods } = this.#context.caches;
    this.#keyed.followOwn(this.#services);
    this.#keyed.follow(this.#endpoints, ({ key }) => [this.#services.get(key) === undefined ? undefined : key]);
    this.#keyed.follow(pods, ({ object, previous, kind }) => {
      if (kind === 'updated' && !affectsEndpoints(object, previous)) return [];
      return this.#selecting(previous === undefined ? [object] : [object, previous]);
    });
    const caches = [anyCache(this.#services), anyCache(pods), anyCache(this.#endpoints)];
    const workers = this.#context.options.concurrent.endpoint;
    this.#keyed.run(workers, caches, (key, signal) => this.#reconcile(key, signal));
  }

  #selecting(pods: readonly Pod[]): Set<string> {
    const keys = new Set<string>();
    for (const pod of pods) {
      for (const service of this.#services.byIndex(BY_NAMESPACE, pod.metadata?.namespace ?? '')) {
        if (selects(service, pod.metadata?.labels)) keys.add(objectKey(service));
      }
    }
    return keys;
  }

  async #reconcile(key: string, signal: AbortSignal): Promise<Outcome | undefined> {
    const service = this.#services.get(key);
    if (service === undefined) return this.#remove(key, signal);
    if (!isSelecting(service)) return undefined;
    const existing = this.#endpoints.get(key);
    const pods = this.#context.caches.pods
      .byIndex(BY_NAMESPACE, service.metadata?.namespace ?? '')
      .filter((pod) => selects(service, pod.metadata?.labels));
    const next = planEndpoints({ service, pods, existing });
    if (next === undefined) return undefined;
    const verb = existing === undefined ? 'create' : 'update';
    try {
      const written = await this.#context.client[verb](resources.endpoints, next, { signal });
      const { resourceVersion } = written.metadata ?? {};
      this.#keyed.own.wrote(key, this.#endpoints, resourceVersion);
      const done: PlanRecord['actions'] = [{ verb, key: `endpoints/${key}`, resourceVersion }];
      this.#keyed.acted(key, [service, ...pods], `${pods.length} pods match`, done);
    } catch (error) {
      if (isNamespaceTerminating(error)) return undefined;
      const reason = existing === undefined ? 'FailedToCreateEndpoint' : 'FailedToUpdateEndpoint';
      const message = `Failed to ${verb} endpoint ${key}: ${textOf(error)}`;
      this.#recorder.event(referenceTo('v1', 'Endpoints', next), 'Warning', reason, message);
      throw error;
    }
    return undefined;
  }

  /** An Endpoints object has no owner reference: it goes when its Service goes. */
  async #remove(key: string, signal: AbortSignal): Promise<undefined> {
    const existing = this.#endpoints.get(key);
    if (existing === undefined) return undefined;
    const { name = '', namespace = '', uid = '' } = existing.metadata ?? {};
    try {
      await this.#context.client.delete(resources.endpoints, name, { namespace, signal });
      this.#keyed.own.deleted(key, this.#endpoints, key, uid);
      this.#keyed.acted(key, [existing], 'its Service is gone', [{ verb: 'delete', key: `endpoints/${key}` }]);
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
    return undefined;
  }
}
