import type { PersistentVolumeClaim, Pod } from '@wherry/api';

export const CLAIM_FINALIZER = 'kubernetes.io/pvc-protection';

/** Names of the claims that a pod uses, those that its ephemeral volumes own among them. */
export function claimsOf(pod: Pod): readonly string[] {
  return (pod.spec?.volumes ?? []).flatMap((volume) => {
    if (volume.persistentVolumeClaim !== undefined) return [volume.persistentVolumeClaim.claimName];
    return volume.ephemeral === undefined ? [] : [`${pod.metadata?.name ?? ''}-${volume.name}`];
  });
}

/** A pod uses its claims from when it has a node until it is gone: its volumes may be mounted until then. */
export function usesClaim(pod: Pod, claim: string): boolean {
  return (pod.spec?.nodeName ?? '') !== '' && claimsOf(pod).includes(claim);
}

export type ClaimPlan = {
  readonly kind: 'add' | 'remove';
  readonly finalizers: readonly string[];
  readonly why: string;
};

/** What becomes of a claim's finalizer. Claims get one when they are created; only older ones have to be given it. */
export function planClaim(claim: PersistentVolumeClaim, pods: readonly Pod[]): ClaimPlan | undefined {
  const { name = '', finalizers = [], deletionTimestamp } = claim.metadata ?? {};
  const has = finalizers.includes(CLAIM_FINALIZER);
  if (deletionTimestamp === undefined) {
    return has
      ? undefined
      : { kind: 'add', finalizers: [...finalizers, CLAIM_FINALIZER], why: 'it has no protection yet' };
  }
  if (!has || pods.some((pod) => usesClaim(pod, name))) return undefined;
  return {
    kind: 'remove',
    finalizers: finalizers.filter((finalizer) => finalizer !== CLAIM_FINALIZER),
    why: 'it is deleted and no pod uses it',
  };
}
