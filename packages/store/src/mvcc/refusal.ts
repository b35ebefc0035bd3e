import type { StoreErrorKind } from '../schema/errors.ts';

/** An expected "no": nothing was changed. */
export interface Refusal {
  readonly refused: StoreErrorKind;
  readonly detail?: string;
  readonly compactRevision?: number;
}

export function isRefusal(outcome: object): outcome is Refusal {
  return 'refused' in outcome;
}
