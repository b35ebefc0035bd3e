import type { ApiObject } from '@wherry/api';
import type { ApiClient } from '@wherry/client';
import type { Outline } from './outline.ts';

export interface DescribeContext {
  readonly client: ApiClient;
  readonly nowMs: number;
}

/** Writes what is special about a kind; name, labels, annotations and events are the same for all. */
export type Describer<T extends ApiObject = ApiObject> = (
  object: T,
  outline: Outline,
  context: DescribeContext,
) => Promise<void> | void;

/** Conditions, which most kinds have. */
export function describeConditions(
  outline: Outline,
  conditions:
    | readonly { readonly type: string; readonly status: string; readonly reason?: string; readonly message?: string }[]
    | undefined,
): void {
  if (conditions === undefined || conditions.length === 0) return;
  const rows = conditions.map(({ type, status, reason = '', message = '' }) => [type, status, reason, message]);
  outline.table('Conditions', ['Type', 'Status', 'Reason', 'Message'], rows);
}
