/**
 * The store's messages as plain values: etcd v3's requests and responses (rpc.proto, kv.proto) under the same names,
 * in camel case. The wire form is in `codec.ts`; this file is the vocabulary of every part of the store.
 */

declare const brand: unique symbol;

/** Counter of atomic change sets, one for the whole store. Starts at 1 when empty; the first write makes 2. < 2^53. */
export type Revision = number & { readonly [brand]: 'Revision' };
/**
 * Lease number: any 64-bit integer, for clients may choose it; 0 means "no lease". A bigint beyond ±(2^53-1) and a
 * number within, never the other way round, so that equal ids are the same value.
 */
export type LeaseId = (number | bigint) & { readonly [brand]: 'LeaseId' };

/** @throws {RangeError} if the number is not an integer in 0 … 2^53-1. */
export function toRevision(value: number): Revision {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`Cannot use ${value} as a revision`);
  return value as Revision;
}

/** @throws {RangeError} if the number is not an integer of 64 bits. */
export function toLeaseId(value: number | bigint): LeaseId {
  if (typeof value === 'bigint' && BigInt.asIntN(64, value) !== value) {
    throw new RangeError(`Cannot use ${value} as a lease id`);
  }
  const id = typeof value === 'bigint' && Number.isSafeInteger(Number(value)) ? Number(value) : value;
  if (typeof id === 'number' && !Number.isSafeInteger(id)) throw new RangeError(`Cannot use ${id} as a lease id`);
  return id as LeaseId;
}

/** A key or value given by a caller. Text is encoded as UTF-8. */
export type Bytes = Uint8Array | string;

export interface KeyValue {
  readonly key: Buffer;
  readonly value: Buffer;
  /** Revision that created this incarnation of the key. */
  readonly createRevision: Revision;
  /** Revision of the last change: Kubernetes' resourceVersion. */
  readonly modRevision: Revision;
  /** Number of writes since creation, 1 for a new key. */
  readonly version: number;
  /** Lease the key is attached to, or 0. */
  readonly lease: LeaseId;
}

/** Which keys: `key` alone, or all keys in [key, rangeEnd). `rangeEnd` of one zero byte means "to the end". */
export interface KeySelection {
  readonly key: Bytes;
  readonly rangeEnd?: Bytes;
}

export type SortTarget = 'key' | 'version' | 'create' | 'mod' | 'value';

export interface RangeRequest extends KeySelection {
  /** Read as of this revision; 0 or absent: the newest. */
  readonly revision?: number;
  /** At most so many keys, 0 or absent: all. `count` in the answer is always the full number. */
  readonly limit?: number;
  /** Answer from the member's own state without asking the leader (may be stale). Default false. */
  readonly serializable?: boolean;
  readonly keysOnly?: boolean;
  readonly countOnly?: boolean;
  /** Default order: by key, ascending. */
  readonly sortOrder?: 'ascend' | 'descend';
  readonly sortTarget?: SortTarget;
  readonly minModRevision?: number;
  readonly maxModRevision?: number;
  readonly minCreateRevision?: number;
  readonly maxCreateRevision?: number;
}

export interface RangeResponse {
  /** The store's revision when it answered (not the revision asked for). */
  readonly revision: Revision;
  readonly kvs: readonly KeyValue[];
  /** More keys exist beyond `limit`. */
  readonly more: boolean;
  /** Number of keys in the selection, regardless of `limit`. */
  readonly count: number;
}

export interface PutRequest {
  readonly key: Bytes;
  readonly value: Bytes;
  /** Attach to this lease; absent or 0: detach from any. */
  readonly lease?: number | bigint;
  readonly prevKv?: boolean;
  /** Keep the value, change only the lease. The key must exist. */
  readonly ignoreValue?: boolean;
  /** Keep the lease. The key must exist. */
  readonly ignoreLease?: boolean;
}

export interface PutResponse {
  /** Revision of the write. */
  readonly revision: Revision;
  readonly prevKv?: KeyValue;
}

export interface DeleteRangeRequest extends KeySelection {
  readonly prevKv?: boolean;
}

export interface DeleteRangeResponse {
  /** Revision of the delete, or the current one when nothing matched. */
  readonly revision: Revision;
  readonly deleted: number;
  /** Filled only if `prevKv` was asked for. */
  readonly prevKvs: readonly KeyValue[];
}

export type CompareResult = 'equal' | 'greater' | 'less' | 'notEqual';

/** One condition. A missing key has version, createRevision, modRevision and lease 0, and fails any value test. */
export type Compare = KeySelection & { readonly result: CompareResult } & (
    | { readonly target: 'version'; readonly version: number }
    | { readonly target: 'create'; readonly createRevision: number }
    | { readonly target: 'mod'; readonly modRevision: number }
    | { readonly target: 'lease'; readonly lease: number | bigint }
    | { readonly target: 'value'; readonly value: Bytes }
  );

export type RequestOp =
  | { readonly kind: 'range'; readonly request: RangeRequest }
  | { readonly kind: 'put'; readonly request: PutRequest }
  | { readonly kind: 'deleteRange'; readonly request: DeleteRangeRequest }
  | { readonly kind: 'txn'; readonly request: TxnRequest };

export type ResponseOp =
  | { readonly kind: 'range'; readonly response: RangeResponse }
  | { readonly kind: 'put'; readonly response: PutResponse }
  | { readonly kind: 'deleteRange'; readonly response: DeleteRangeResponse }
  | { readonly kind: 'txn'; readonly response: TxnResponse };

/** If all of `compare` hold then `success` else `failure`, atomically and under one revision. */
export interface TxnRequest {
  readonly compare?: readonly Compare[];
  readonly success?: readonly RequestOp[];
  readonly failure?: readonly RequestOp[];
}

export interface TxnResponse {
  /** Revision of the writes, or the current one if there were none. */
  readonly revision: Revision;
  readonly succeeded: boolean;
  /** One answer per operation of the branch that ran, same order and kinds. */
  readonly responses: readonly ResponseOp[];
}

export interface CompactRequest {
  readonly revision: number;
  /** Answer once what was compacted is gone, not when that is decided. */
  readonly physical?: boolean;
}

export interface CompactResponse {
  readonly revision: Revision;
}

export interface WatchEvent {
  readonly kind: 'put' | 'delete';
  /** For a delete: the key, the deleting revision, an empty value, version 0. */
  readonly kv: KeyValue;
  /** The state before, if `prevKv` was asked for and it is not compacted away. */
  readonly prevKv?: KeyValue;
}

export interface WatchRequest extends KeySelection {
  /** First revision to deliver; absent or 0: only what is written after the watch was created. */
  readonly startRevision?: number;
  readonly prevKv?: boolean;
  /** Send a batch without events now and then while nothing happens. Default false. */
  readonly progressNotify?: boolean;
  /** Leave these kinds of events out. */
  readonly filters?: readonly ('noPut' | 'noDelete')[];
}

/**
 * What a watch delivers. Events of one revision are never split over two batches, revisions only grow, and every
 * matching event with modRevision ≤ `revision` has been delivered once this batch has.
 */
export interface WatchBatch {
  readonly revision: Revision;
  readonly events: readonly WatchEvent[];
  /** True for a batch that only reports progress (no events). */
  readonly progress: boolean;
}

export interface LeaseGrantRequest {
  /** Seconds, ≥ 1. */
  readonly ttlSeconds: number;
  /** Absent or 0: the store chooses. */
  readonly id?: number | bigint;
}

export interface LeaseGrantResponse {
  readonly revision: Revision;
  readonly id: LeaseId;
  /** What was granted: may be more than asked (never below the election timeout). */
  readonly ttlSeconds: number;
}

export interface LeaseRevokeResponse {
  readonly revision: Revision;
}

export interface LeaseKeepAliveResponse {
  readonly revision: Revision;
  readonly id: LeaseId;
  readonly ttlSeconds: number;
}

export interface LeaseTimeToLiveResponse {
  readonly revision: Revision;
  readonly id: LeaseId;
  /** Seconds left; -1 if the lease does not exist. */
  readonly ttlSeconds: number;
  readonly grantedTtlSeconds: number;
  /** Attached keys, if asked for. */
  readonly keys: readonly Buffer[];
}

export interface StatusResponse {
  readonly revision: Revision;
  readonly version: string;
  readonly clusterId: number;
  readonly memberId: number;
  /** Member id of the leader, 0 if there is none. */
  readonly leader: number;
  readonly raftIndex: number;
  readonly raftTerm: number;
  readonly raftAppliedIndex: number;
  /** Bytes held: what the quota is measured against. */
  readonly dbSizeBytes: number;
  readonly isLearner: boolean;
  /** Alarms, such as `NOSPACE`. */
  readonly errors: readonly string[];
}
