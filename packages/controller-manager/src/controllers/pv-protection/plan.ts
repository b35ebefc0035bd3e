import type { PersistentVolume } from '@wherry/api';

export const VOLUME_FINALIZER = 'kubernetes.io/pv-protection';

export type VolumePlan = {
  readonly kind: 'add' | 'remove';
  readonly finalizers: readonly string[];
  readonly why: string;
};

/** What becomes of a volume's finalizer: a volume that is bound to a claim stays until the claim is gone. */
export function planVolume(volume: PersistentVolume): VolumePlan | undefined {
  const { finalizers = [], deletionTimestamp } = volume.metadata ?? {};
  const has = finalizers.includes(VOLUME_FINALIZER);
  if (deletionTimestamp === undefined) {
    return has
      ? undefined
      : { kind: 'add', finalizers: [...finalizers, VOLUME_FINALIZER], why: 'it has no protection yet' };
  }
  if (!has || volume.status?.phase === 'Bound') return undefined;
  return {
    kind: 'remove',
    finalizers: finalizers.filter((finalizer) => finalizer !== VOLUME_FINALIZER),
    why: 'it is deleted and bound to no claim',
  };
}
