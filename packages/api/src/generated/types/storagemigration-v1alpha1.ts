// Generated from the official OpenAPI document by `npm run generate`. Do not edit.
import type * as metaV1 from './meta-v1.ts';

export interface GroupVersionResource {
  readonly group?: string;
  readonly resource?: string;
  readonly version?: string;
}

export interface MigrationCondition {
  readonly lastUpdateTime?: string;
  readonly message?: string;
  readonly reason?: string;
  readonly status: string;
  readonly type: string;
}

export interface StorageVersionMigration {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata?: metaV1.ObjectMeta;
  readonly spec?: StorageVersionMigrationSpec;
  readonly status?: StorageVersionMigrationStatus;
}

export interface StorageVersionMigrationList {
  readonly apiVersion?: string;
  readonly items: readonly StorageVersionMigration[];
  readonly kind?: string;
  readonly metadata?: metaV1.ListMeta;
}

export interface StorageVersionMigrationSpec {
  readonly continueToken?: string;
  readonly resource: GroupVersionResource;
}

export interface StorageVersionMigrationStatus {
  readonly conditions?: readonly MigrationCondition[];
  readonly resourceVersion?: string;
}
