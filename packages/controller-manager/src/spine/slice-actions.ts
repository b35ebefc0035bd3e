import { type EndpointSlice, isNotFound, objectKey, resources } from '@wherry/api';
import { actOnEach } from './batches.ts';
import type { ControllerContext } from './context.ts';
import type { Keyed } from './keyed.ts';
import type { Actor } from './pod-actions.ts';

/** What becomes of a Service's slices. */
interface SliceChanges {
  readonly create: readonly EndpointSlice[];
  readonly update: readonly EndpointSlice[];
  readonly delete: readonly EndpointSlice[];
}

/** Carries a plan for slices out: new endpoints come before old ones go. */
export async function writeSlices(
  context: ControllerContext,
  keyed: Keyed,
  { key, signal, done }: Pick<Actor, 'key' | 'signal' | 'done'>,
  plan: SliceChanges,
): Promise<void> {
  const { client, caches } = context;
  const cache = caches.of(resources.endpointslices);
  const wrote = (verb: string, slice: EndpointSlice): void => {
    const resourceVersion = slice.metadata?.resourceVersion;
    keyed.own.wrote(key, cache, resourceVersion);
    done.push({ verb, key: `endpointslices/${objectKey(slice)}`, resourceVersion });
  };
  await actOnEach(plan.create, async (slice) =>
    wrote('create', await client.create(resources.endpointslices, slice, { signal })),
  );
  await actOnEach(plan.update, async (slice) =>
    wrote('update', await client.update(resources.endpointslices, slice, { signal })),
  );
  await actOnEach(plan.delete, async (slice) => {
    const { name = '', namespace = '', uid = '' } = slice.metadata ?? {};
    try {
      await client.delete(resources.endpointslices, name, { namespace, signal });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
    keyed.own.deleted(key, cache, objectKey(slice), uid);
    done.push({ verb: 'delete', key: `endpointslices/${objectKey(slice)}` });
  });
}
