import type { Logger } from '@wherry/daemon';

/** A plan that was carried out, and what it was made from: the failure lab joins causes to effects on these. */
export interface PlanRecord {
  readonly controller: string;
  readonly key: string;
  /** Every object the decision rests on, with the version that was read. */
  readonly inputs: readonly { readonly key: string; readonly resourceVersion: string | undefined }[];
  readonly why: string;
  /** What was done; the version is the one the write returned. */
  readonly actions: readonly {
    readonly verb: string;
    readonly key: string;
    readonly resourceVersion?: string | undefined;
  }[];
}

export function logPlan(logger: Logger, plan: PlanRecord): void {
  logger.info({ plan }, 'plan');
}
