import type { ApiObject } from '@wherry/api';
import type { ApiClient } from '@wherry/client';
import type { Outline } from './outline.ts';

export interface DescribeContext {
  readonly client: ApiClient;
  readonly nowMs: number;
}

/** Writes a description, its events excepted: those are the same for all. */
export type Describer<T extends ApiObject = ApiObject> = (
  object: T,
  outline: Outline,
  context: DescribeContext,
) => Promise<void> | void;

/** How most descriptions begin. */
export function describeName(outline: Outline, { metadata }: ApiObject): Outline {
  return outline.field('Name', metadata?.name).field('Namespace', metadata?.namespace);
}

export function describeWords(outline: Outline, { metadata }: ApiObject): Outline {
  return outline.labels('Labels', metadata?.labels).annotations('Annotations', metadata?.annotations);
}

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
}

/** Conditions of workloads. */
export function describeConditions(outline: Outline, conditions: readonly Condition[] | undefined): void {
  if (conditions === undefined || conditions.length === 0) return;
  const rows = conditions.map(({ type, status, reason = '' }) => [`${type} `, status, reason]);
  outline.table('Conditions', ['Type', 'Status', 'Reason'], rows);
}
