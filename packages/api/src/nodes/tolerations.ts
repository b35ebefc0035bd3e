// Which taints a pod tolerates.
import type { Taint, Toleration } from '../generated/types.ts';

export type TaintEffect = 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute';

/** An empty effect or key of a toleration stands for any; an empty key needs the operator Exists. */
export function tolerates(toleration: Toleration, taint: Taint): boolean {
  if (toleration.effect !== undefined && toleration.effect !== '' && toleration.effect !== taint.effect) return false;
  if (toleration.key !== undefined && toleration.key !== '' && toleration.key !== taint.key) return false;
  switch (toleration.operator ?? '') {
    case '':
    case 'Equal':
      return (toleration.value ?? '') === (taint.value ?? '');
    case 'Exists':
      return true;
    case 'Gt':
    case 'Lt':
      return compares(toleration, taint);
    default:
      return false;
  }
}

/** Numeric comparison of taint values (KEP-5471): the taint's value is greater or less than the toleration's. */
function compares(toleration: Toleration, taint: Taint): boolean {
  const integer = /^(?:0|-?[1-9]\d*)$/;
  const limit = toleration.value ?? '';
  const value = taint.value ?? '';
  if (!integer.test(limit) || !integer.test(value)) return false;
  return toleration.operator === 'Gt' ? BigInt(value) > BigInt(limit) : BigInt(value) < BigInt(limit);
}

export function toleratesTaint(tolerations: readonly Toleration[] | undefined, taint: Taint): boolean {
  return tolerations?.some((toleration) => tolerates(toleration, taint)) ?? false;
}

/** The first taint with one of these effects that nothing tolerates. */
export function untoleratedTaint(
  taints: readonly Taint[] | undefined,
  tolerations: readonly Toleration[] | undefined,
  effects: readonly TaintEffect[],
): Taint | undefined {
  return taints?.find(
    (taint) => effects.some((effect) => effect === taint.effect) && !toleratesTaint(tolerations, taint),
  );
}
