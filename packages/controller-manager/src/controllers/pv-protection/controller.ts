import { isConflict, isNotFound, resources } from '@wherry/api';
import type { ControllerContext } from '../../spine/context.ts';
import { anyCache, Keyed } from '../../spine/keyed.ts';
import { planVolume } from './plan.ts';

/** Keeps deleted volumes while they are bound. */
export function startPvProtection(context: ControllerContext): void {
  const { caches, client } = context;
  const volumes = caches.of(resources.persistentvolumes);
  const keyed = new Keyed(context, 'persistentvolume-protection-controller');
  keyed.followOwn(volumes);
  keyed.run(1, [anyCache(volumes)], async (key, signal) => {
    const volume = volumes.get(key);
    const plan = volume === undefined ? undefined : planVolume(volume);
    if (volume === undefined || plan === undefined) return undefined;
    try {
      const written = await client.update(
        resources.persistentvolumes,
        { ...volume, metadata: { ...volume.metadata, finalizers: plan.finalizers } },
        { signal },
      );
      const { resourceVersion } = written.metadata ?? {};
      if (plan.kind === 'remove') keyed.own.deleted(key, volumes, key, volume.metadata?.uid ?? '');
      else keyed.own.wrote(key, volumes, resourceVersion);
      const action = { verb: `${plan.kind}-finalizer`, key: `persistentvolumes/${key}`, resourceVersion };
      keyed.acted(key, [volume], plan.why, [action]);
    } catch (error) {
      if (!isNotFound(error) && !isConflict(error)) throw error;
    }
    return undefined;
  });
}
