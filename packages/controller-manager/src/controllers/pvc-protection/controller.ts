import { isConflict, isNotFound, type Pod, resources } from '@wherry/api';
import { BY_NAMESPACE } from '../../spine/caches.ts';
import type { ControllerContext } from '../../spine/context.ts';
import { anyCache, Keyed } from '../../spine/keyed.ts';
import { claimsOf, planClaim, usesClaim } from './plan.ts';

/** Keeps deleted claims while pods use them. */
export function startPvcProtection(context: ControllerContext): void {
  const { caches, client } = context;
  const claims = caches.of(resources.persistentvolumeclaims);
  const keyed = new Keyed(context, 'persistentvolumeclaim-protection-controller');
  keyed.followOwn(claims);
  keyed.follow(caches.pods, ({ kind, object }) => (kind === 'deleted' ? keysOf(object) : []));
  keyed.run(1, [anyCache(claims), anyCache(caches.pods)], async (key, signal) => {
    const claim = claims.get(key);
    if (claim === undefined) return undefined;
    const { name = '', namespace = '', uid = '' } = claim.metadata ?? {};
    const plan = planClaim(claim, caches.pods.byIndex(BY_NAMESPACE, namespace));
    if (plan === undefined) return undefined;
    if (plan.kind === 'remove') {
      // A pod that just got its node may not be in the cache, and there is no way back.
      const pods = await client.list(resources.pods, { namespace, signal });
      if (pods.items.some((pod) => usesClaim(pod, name))) return { requeueAfterMs: 1_000 };
    }
    try {
      const written = await client.update(
        resources.persistentvolumeclaims,
        { ...claim, metadata: { ...claim.metadata, finalizers: plan.finalizers } },
        { signal },
      );
      const { resourceVersion } = written.metadata ?? {};
      if (plan.kind === 'remove') keyed.own.deleted(key, claims, key, uid);
      else keyed.own.wrote(key, claims, resourceVersion);
      const action = { verb: `${plan.kind}-finalizer`, key: `persistentvolumeclaims/${key}`, resourceVersion };
      keyed.acted(key, [claim], plan.why, [action]);
    } catch (error) {
      if (!isNotFound(error) && !isConflict(error)) throw error;
    }
    return undefined;
  });
}

function keysOf(pod: Pod): readonly string[] {
  return claimsOf(pod).map((claim) => `${pod.metadata?.namespace ?? ''}/${claim}`);
}
