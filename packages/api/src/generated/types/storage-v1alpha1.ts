// Generated from the official OpenAPI document by `npm run generate`. Do not edit.
import type * as metaV1 from './meta-v1.ts';

export interface VolumeAttributesClass {
  readonly apiVersion?: string;
  readonly driverName: string;
  readonly kind?: string;
  readonly metadata?: metaV1.ObjectMeta;
  readonly parameters?: Readonly<Record<string, string>>;
}

export interface VolumeAttributesClassList {
  readonly apiVersion?: string;
  readonly items: readonly VolumeAttributesClass[];
  readonly kind?: string;
  readonly metadata?: metaV1.ListMeta;
}
