import type { OwnerReference, PersistentVolumeClaim, Pod, StatefulSet } from '@wherry/api';
import type { Owner } from '../../pods/ownership.ts';
import { canonicalJson } from '../../pods/template-hash.ts';
import { claimName, claimTemplates } from './identity.ts';

export interface ClaimOwnership {
  readonly claim: PersistentVolumeClaim;
  readonly ownerReferences: readonly OwnerReference[];
}

interface ClaimInput {
  readonly set: StatefulSet;
  readonly owner: Owner;
  readonly byOrdinal: ReadonlyMap<number, Pod>;
  readonly claimOf: (name: string) => PersistentVolumeClaim | undefined;
}

/**
 * Who owns a claim says with whom it goes: with the set (whenDeleted: Delete) or with a pod that is scaled away
 * (whenScaled: Delete). Retained claims have no owner of ours. Only claims of existing pods are looked at.
 * @param condemned ordinals being scaled away
 */
export function planClaimOwners(input: ClaimInput, condemned: ReadonlySet<number>): readonly ClaimOwnership[] {
  const { set, owner, byOrdinal } = input;
  const policy = set.spec?.persistentVolumeClaimRetentionPolicy;
  const [withSet, withPod] = [policy?.whenDeleted === 'Delete', policy?.whenScaled === 'Delete'];
  return [...byOrdinal].flatMap(([ordinal, pod]) =>
    claimTemplates(set).flatMap((template): ClaimOwnership[] => {
      const claim = input.claimOf(claimName(set, template, ordinal));
      if (claim === undefined) return [];
      const goesWithPod = withPod && condemned.has(ordinal);
      const wanted: OwnerReference[] = [];
      if (withSet && !goesWithPod) wanted.push(reference('apps/v1', 'StatefulSet', owner.name, owner.uid));
      if (goesWithPod) wanted.push(reference('v1', 'Pod', pod.metadata?.name ?? '', pod.metadata?.uid ?? ''));
      const present = claim.metadata?.ownerReferences ?? [];
      const isOurs = ({ kind, uid, name }: OwnerReference) =>
        uid === owner.uid || (kind === 'Pod' && name === pod.metadata?.name);
      const ownerReferences = [...present.filter((entry) => !isOurs(entry)), ...wanted];
      return canonicalJson(ownerReferences) === canonicalJson(present) ? [] : [{ claim, ownerReferences }];
    }),
  );
}

function reference(apiVersion: string, kind: string, name: string, uid: string): OwnerReference {
  return { apiVersion, kind, name, uid };
}
