// Generated from the official OpenAPI document by `npm run generate`. Do not edit.
import type * as metaV1 from './meta-v1.ts';

export interface PriorityClass {
  readonly apiVersion?: string;
  readonly description?: string;
  readonly globalDefault?: boolean;
  readonly kind?: string;
  readonly metadata?: metaV1.ObjectMeta;
  readonly preemptionPolicy?: string;
  readonly value: number;
}

export interface PriorityClassList {
  readonly apiVersion?: string;
  readonly items: readonly PriorityClass[];
  readonly kind?: string;
  readonly metadata?: metaV1.ListMeta;
}
