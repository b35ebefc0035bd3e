import { isConflict, isNotFound, objectKey, resources } from '@wherry/api';
import type { ControllerContext } from '../../spine/context.ts';
import { anyCache, Keyed } from '../../spine/keyed.ts';
import { timeToLiveMs } from './plan.ts';

/** Deletes Jobs some time after they finished. */
export function startTtlAfterFinished(context: ControllerContext): void {
  const { caches, client, clock, options } = context;
  const jobs = caches.of(resources.jobs);
  const keyed = new Keyed(context, 'ttl-after-finished-controller');
  keyed.followOwn(jobs);
  keyed.run(options.concurrent.ttlAfterFinished, [anyCache(jobs)], async (key, signal) => {
    const job = jobs.get(key);
    const leftMs = job === undefined ? undefined : timeToLiveMs(job, clock.now());
    if (job === undefined || leftMs === undefined) return undefined;
    if (leftMs > 0) return { requeueAfterMs: leftMs };
    const { name = '', namespace = '', uid = '', resourceVersion = '' } = job.metadata ?? {};
    try {
      // With the version: the time to live may just have been raised.
      const preconditions = { uid, resourceVersion };
      await client.delete(resources.jobs, name, { namespace, propagationPolicy: 'Foreground', preconditions, signal });
    } catch (error) {
      if (isNotFound(error)) return undefined;
      if (!isConflict(error)) throw error;
      return { requeueAfterMs: 1_000 };
    }
    keyed.own.deleted(key, jobs, objectKey(job), uid);
    keyed.acted(key, [job], 'its time to live after finishing is over', [{ verb: 'delete', key: `jobs/${key}` }]);
    return undefined;
  });
}
