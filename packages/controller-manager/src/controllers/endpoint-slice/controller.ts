import { type EndpointSlice, type Node, objectKey, type Pod, resources, type Service } from '@wherry/api';
import type { EventRecorder, Informer, Outcome, PlanRecord } from '@wherry/client';
import { BY_NAMESPACE, BY_NODE, BY_SERVICE } from '../../spine/caches.ts';
import { type ControllerContext, referenceTo } from '../../spine/context.ts';
import { anyCache, Keyed } from '../../spine/keyed.ts';
import { isNamespaceTerminating, textOf } from '../../spine/pod-actions.ts';
import { writeSlices } from '../../spine/slice-actions.ts';
import { MANAGED_BY, MANAGED_BY_LABEL, planSlices } from './plan.ts';
import { affectsEndpoints, isSelecting, selects } from './selection.ts';

/** First wait after a failed write, and the longest. */
const BACKOFF = { baseMs: 1_000, maxMs: 1_000_000 };
const ZONE_LABEL = 'topology.kubernetes.io/zone';

export function startEndpointSlices(context: ControllerContext): void {
  new EndpointSliceController(context).start();
}

class EndpointSliceController {
  readonly #context: ControllerContext;
  readonly #services: Informer<Service>;
  readonly #slices: Informer<EndpointSlice>;
  readonly #nodes: Informer<Node>;
  readonly #keyed: Keyed;
  readonly #recorder: EventRecorder;

  constructor(context: ControllerContext) {
    this.#context = context;
    this.#services = context.caches.of(resources.services);
    this.#slices = context.caches.of(resources.endpointslices);
    this.#nodes = context.caches.of(resources.nodes);
    this.#keyed = new Keyed(context, 'endpointslice-controller', BACKOFF);
    this.#recorder = context.recorder('endpoint-slice-controller');
  }

  start(): void {
    const { pods } = this.#context.caches;
    this.#keyed.followOwn(this.#services);
    this.#keyed.follow(pods, ({ object, previous, kind }) => {
      if (kind === 'updated' && !affectsEndpoints(object, previous)) return [];
      return this.#selecting(previous === undefined ? [object] : [object, previous]);
    });
    this.#keyed.follow(this.#slices, ({ object }) => [ownServiceOf(object)]);
    this.#keyed.follow(this.#nodes, ({ kind, object, previous }) => {
      const zone = (node: Node | undefined) => node?.metadata?.labels?.[ZONE_LABEL];
      if (kind === 'updated' && zone(object) === zone(previous)) return [];
      return this.#selecting(pods.byIndex(BY_NODE, object.metadata?.name ?? ''));
    });
    const caches = [anyCache(this.#services), anyCache(pods), anyCache(this.#slices), anyCache(this.#nodes)];
    const workers = this.#context.options.concurrent.serviceEndpoint;
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
    // Without their Service slices are the garbage collector's.
    if (service === undefined || service.metadata?.deletionTimestamp !== undefined) return undefined;
    if (!isSelecting(service)) return undefined;
    const slices = this.#slices.byIndex(BY_SERVICE, key).filter((slice) => ownServiceOf(slice) !== undefined);
    const pods = this.#context.caches.pods
      .byIndex(BY_NAMESPACE, service.metadata?.namespace ?? '')
      .filter((pod) => selects(service, pod.metadata?.labels));
    const plan = planSlices({ service, pods, slices, nodeOf: (name) => this.#nodes.get(name) });
    const done: PlanRecord['actions'][number][] = [];
    try {
      await writeSlices(this.#context, this.#keyed, { key, signal, done }, plan);
    } catch (error) {
      if (isNamespaceTerminating(error)) return undefined;
      const message = `Error updating Endpoint Slices for Service ${key}: ${textOf(error)}`;
      this.#recorder.event(referenceTo('v1', 'Service', service), 'Warning', 'FailedToUpdateEndpointSlices', message);
      throw error;
    } finally {
      this.#keyed.acted(key, [service, ...slices, ...pods], `${pods.length} pods match`, done);
    }
    return undefined;
  }
}

/** Key of the Service, if the slice is one of ours. */
function ownServiceOf(slice: EndpointSlice): string | undefined {
  const labels = slice.metadata?.labels;
  if (labels?.[MANAGED_BY_LABEL] !== MANAGED_BY) return undefined;
  return `${slice.metadata?.namespace ?? ''}/${labels['kubernetes.io/service-name'] ?? ''}`;
}
