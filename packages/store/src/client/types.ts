import type {
  CompactResponse,
  DeleteRangeRequest,
  DeleteRangeResponse,
  LeaseGrantRequest,
  LeaseGrantResponse,
  LeaseKeepAliveResponse,
  LeaseRevokeResponse,
  LeaseTimeToLiveResponse,
  PutRequest,
  PutResponse,
  RangeRequest,
  RangeResponse,
  StatusResponse,
  TxnRequest,
  TxnResponse,
  WatchBatch,
  WatchRequest,
} from '../schema/messages.ts';

export interface CallOptions {
  /** Gives the request up; the call rejects with the signal's reason. A write may still happen. */
  readonly signal?: AbortSignal;
  /** @default the client's `requestTimeoutMs` */
  readonly timeoutMs?: number;
}

/**
 * The store as its one user sees it. Two implementations: over connections to the members (`createStoreClient`), and
 * in this process (`createMemoryStore`, for tests and simulation), both with the same MVCC rules.
 *
 * Failures are `StoreError`s. Nothing is retried behind the caller's back except reads and watches, which are safe to
 * repeat: after `error.outcome === 'unknown'` a write may or may not have happened, and only the caller can find out.
 */
export interface StoreClient extends AsyncDisposable {
  /** Linearizable unless `serializable`. @throws StoreError compacted, futureRevision, unavailable, timeout */
  range(request: RangeRequest, options?: CallOptions): Promise<RangeResponse>;
  put(request: PutRequest, options?: CallOptions): Promise<PutResponse>;
  deleteRange(request: DeleteRangeRequest, options?: CallOptions): Promise<DeleteRangeResponse>;
  txn(request: TxnRequest, options?: CallOptions): Promise<TxnResponse>;
  /** Forget history below `revision`. @throws StoreError compacted (already past it), futureRevision */
  compact(revision: number, options?: CallOptions): Promise<CompactResponse>;
  /** Starts at once; reconnects and resumes by itself. See {@link StoreWatch}. */
  watch(request: WatchRequest, options?: { readonly signal?: AbortSignal }): StoreWatch;
  leaseGrant(request: LeaseGrantRequest, options?: CallOptions): Promise<LeaseGrantResponse>;
  /** Deletes the attached keys too. @throws StoreError leaseNotFound */
  leaseRevoke(id: number | bigint, options?: CallOptions): Promise<LeaseRevokeResponse>;
  /** One renewal. @throws StoreError leaseNotFound */
  leaseKeepAlive(id: number | bigint, options?: CallOptions): Promise<LeaseKeepAliveResponse>;
  leaseTimeToLive(
    id: number | bigint,
    options?: CallOptions & { readonly keys?: boolean },
  ): Promise<LeaseTimeToLiveResponse>;
  /** Of the member connected to (not necessarily the leader). */
  status(options?: CallOptions): Promise<StatusResponse>;
  /** Ends watches and connections; requests in flight reject. */
  close(): Promise<void>;
}

/**
 * A stream of whole revisions, in order, without gap or duplicate, across reconnections. Iterate it once.
 * Ends normally when its signal aborts or `close()` is called; throws StoreError `compacted` (with `compactRevision`)
 * when history needed to go on is gone, and `invalidArgument`/`emptyKey` if refused.
 * Batches not yet taken are held up to `WATCH_WINDOW_BATCHES`; beyond it the member stops sending to this
 * watch and catches up from history later, so a slow reader costs only itself.
 */
export interface StoreWatch extends AsyncIterable<WatchBatch>, Disposable {
  /** Asks for a progress batch as soon as everything up to the member's present revision has been delivered. */
  requestProgress(): void;
  close(): void;
}
