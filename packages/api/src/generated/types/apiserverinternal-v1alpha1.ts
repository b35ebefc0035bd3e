// Generated from the official OpenAPI document by `npm run generate`. Do not edit.
import type * as metaV1 from './meta-v1.ts';

export interface ServerStorageVersion {
  readonly apiServerID?: string;
  readonly decodableVersions?: readonly string[];
  readonly encodingVersion?: string;
  readonly servedVersions?: readonly string[];
}

export interface StorageVersion {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata?: metaV1.ObjectMeta;
  readonly spec: StorageVersionSpec;
  readonly status: StorageVersionStatus;
}

export interface StorageVersionCondition {
  readonly lastTransitionTime?: string;
  readonly message: string;
  readonly observedGeneration?: number;
  readonly reason: string;
  readonly status: string;
  readonly type: string;
}

export interface StorageVersionList {
  readonly apiVersion?: string;
  readonly items: readonly StorageVersion[];
  readonly kind?: string;
  readonly metadata?: metaV1.ListMeta;
}

export type StorageVersionSpec = Readonly<Record<string, never>>;

export interface StorageVersionStatus {
  readonly commonEncodingVersion?: string;
  readonly conditions?: readonly StorageVersionCondition[];
  readonly storageVersions?: readonly ServerStorageVersion[];
}
