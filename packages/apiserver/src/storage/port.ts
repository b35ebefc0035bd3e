/**
 * What the API server needs from a store, and no more (the twelve methods of k3s-io/kine were the measure).
 * Keys are upstream's (`/registry/<resource>/<namespace>/<name>`), revisions are the store's.
 */
export interface Storage {
  get(key: string, options?: ReadOptions): Promise<StoredValue | undefined>;
  /** Keys below `prefix` in order, from one snapshot. */
  list(prefix: string, options: ListOptions): Promise<StoredList>;
  /** The newest committed revision; linearizable: everything acknowledged before the call is included. */
  currentRevision(signal?: AbortSignal): Promise<number>;
  create(key: string, value: Uint8Array, options?: WriteOptions): Promise<WriteOutcome>;
  /** Writes if the key is at `expectedRevision`. */
  update(key: string, value: Uint8Array, expectedRevision: number, options?: WriteOptions): Promise<WriteOutcome>;
  /** Deletes if the key is at `expectedRevision`. */
  delete(key: string, expectedRevision: number, options?: WriteOptions): Promise<WriteOutcome>;
  /** Whole revisions in order from `startRevision` on. Ends when the signal aborts. @throws StorageError 'compacted' */
  watch(prefix: string, startRevision: number, signal: AbortSignal): StorageWatch;
  compact(revision: number): Promise<void>;
  status(): Promise<StorageStatus>;
  close(): Promise<void>;
}

export interface ReadOptions {
  readonly signal?: AbortSignal;
}

export interface ListOptions extends ReadOptions {
  /** Read as of this revision; 0: the newest. */
  readonly revision: number;
  /** Start at this key (inclusive) instead of the prefix. */
  readonly from?: string;
  /** 0: all. */
  readonly limit: number;
}

export interface WriteOptions extends ReadOptions {
  /** The store removes the key by itself after this time. */
  readonly ttlSeconds?: number;
}

export interface StoredValue {
  readonly key: string;
  readonly value: Buffer;
  /** Revision of the last change. */
  readonly revision: number;
}

export interface StoredList {
  /** The snapshot's revision. */
  readonly revision: number;
  readonly items: readonly StoredValue[];
  /** Keys that follow beyond the limit. */
  readonly remaining: number;
}

/** `current` is what stood in the way; absent when the key is missing. */
export type WriteOutcome =
  | { readonly done: true; readonly revision: number }
  | { readonly done: false; readonly current?: StoredValue };

export interface StorageWatch extends AsyncIterable<StorageBatch> {
  /** Ask for a batch (maybe empty) that shows how far the stream has come. */
  requestProgress(): void;
}

export interface StorageBatch {
  /** Every event up to this revision has been delivered with this batch. */
  readonly revision: number;
  readonly events: readonly StorageEvent[];
}

export interface StorageEvent {
  readonly kind: 'put' | 'delete';
  readonly key: string;
  /** Empty for a delete. */
  readonly value: Buffer;
  readonly revision: number;
}

export interface StorageStatus {
  readonly version: string;
  readonly sizeBytes: number;
  readonly revision: number;
}

export type StorageErrorKind = 'compacted' | 'futureRevision' | 'unavailable' | 'unknownOutcome' | 'full' | 'other';

export class StorageError extends Error {
  override readonly name = 'StorageError';
  readonly kind: StorageErrorKind;

  constructor(kind: StorageErrorKind, message: string, cause: unknown) {
    super(message, { cause });
    this.kind = kind;
  }
}

export function isStorageError(error: unknown, kind: StorageErrorKind): boolean {
  return error instanceof StorageError && error.kind === kind;
}
