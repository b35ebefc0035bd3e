import { type EndpointSlice, resources } from '@wherry/api';
import { BY_SERVICE } from '../../spine/caches.ts';
import { type ControllerContext, referenceTo } from '../../spine/context.ts';
import { anyCache, Keyed } from '../../spine/keyed.ts';
import { type Actor, isNamespaceTerminating } from '../../spine/pod-actions.ts';
import { writeSlices } from '../../spine/slice-actions.ts';
import { MANAGED_BY_LABEL } from '../endpoint-slice/plan.ts';
import { isMirrored, MIRROR_MANAGED_BY, planMirror } from './plan.ts';

const BACKOFF = { baseMs: 1_000, maxMs: 100_000 };

/** Keys are those of Endpoints, which are those of their Services. */
export function startEndpointSliceMirroring(context: ControllerContext): void {
  const { caches, options } = context;
  const endpoints = caches.of(resources.endpoints);
  const services = caches.of(resources.services);
  const slices = caches.of(resources.endpointslices);
  const keyed = new Keyed(context, 'endpointslice-mirroring-controller', BACKOFF);
  const isOurs = (slice: EndpointSlice) => slice.metadata?.labels?.[MANAGED_BY_LABEL] === MIRROR_MANAGED_BY;
  keyed.followOwn(endpoints);
  keyed.followOwn(services);
  keyed.follow(slices, ({ object }) => {
    const service = object.metadata?.labels?.['kubernetes.io/service-name'];
    return isOurs(object) && service !== undefined ? [`${object.metadata?.namespace ?? ''}/${service}`] : [];
  });
  const needed = [anyCache(endpoints), anyCache(services), anyCache(slices)];
  keyed.run(options.concurrent.mirroringServiceEndpoint, needed, async (key, signal) => {
    const source = endpoints.get(key);
    const present = slices.byIndex(BY_SERVICE, key).filter(isOurs);
    const mirrored = source !== undefined && isMirrored(source, services.get(key));
    if (!mirrored && present.length === 0) return undefined;
    const plan = mirrored ? planMirror(source, present) : { create: [], update: [], delete: present };
    const actor: Actor = { key, regarding: referenceTo('v1', 'Endpoints', source ?? {}), signal, done: [] };
    try {
      await writeSlices(context, keyed, actor, plan);
    } catch (error) {
      if (!isNamespaceTerminating(error)) throw error;
    } finally {
      keyed.acted(key, source === undefined ? present : [source, ...present], 'Endpoints made by hand', actor.done);
    }
    return undefined;
  });
}
