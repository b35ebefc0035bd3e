import type { Clock, Logger, Random } from '@wherry/daemon';
import type { Codec } from '../schema/codec.ts';
import { isStoreError, StoreError } from '../schema/errors.ts';
import { requests } from '../schema/frames.ts';
import {
  compactRequest,
  compactResponse,
  deleteRangeRequest,
  deleteRangeResponse,
  putRequest,
  putResponse,
  rangeRequest,
  rangeResponse,
  txnRequest,
  txnResponse,
} from '../schema/kv-codecs.ts';
import type {
  DeleteRangeRequest,
  LeaseGrantRequest,
  PutRequest,
  RangeRequest,
  TxnRequest,
  WatchRequest,
} from '../schema/messages.ts';
import {
  leaseGrantRequest,
  leaseGrantResponse,
  leaseIdRequest,
  leaseKeepAliveResponse,
  leaseRevokeResponse,
  leaseTimeToLiveRequest,
  leaseTimeToLiveResponse,
  statusResponse,
} from '../schema/other-codecs.ts';
import { emptyRequest, type StoreConnection } from './connection.ts';
import type { StoreConnector } from './connector.ts';
import { Endpoints } from './endpoints.ts';
import { RemoteWatch } from './remote-watch.ts';
import type { CallOptions, StoreClient, StoreWatch } from './types.ts';

const REQUEST_TIMEOUT_MS = 10_000;
const RETRY_MS_MIN = 10;
const RETRY_MS_MAX = 500;

export interface StoreClientOptions {
  /** Members' client addresses, `https://host:port`. */
  readonly endpoints: readonly string[];
  /** How to reach them: `tlsConnector(…)`. */
  readonly connector: StoreConnector;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** @default 10000 */
  readonly requestTimeoutMs?: number;
}

/** A client of running members. Connects when first used. */
export function createStoreClient(options: StoreClientOptions): StoreClient {
  return new RemoteStore(options);
}

interface Method<Q, A> {
  readonly kind: number;
  readonly request: Codec<Q>;
  readonly response: Codec<A>;
  /** Safe to send again after an unknown outcome. */
  readonly repeatable: boolean;
}

const range = { kind: requests.range, request: rangeRequest, response: rangeResponse, repeatable: true };
const put = { kind: requests.put, request: putRequest, response: putResponse, repeatable: false };
const deleteRange = {
  kind: requests.deleteRange,
  request: deleteRangeRequest,
  response: deleteRangeResponse,
  repeatable: false,
};
const txn = { kind: requests.txn, request: txnRequest, response: txnResponse, repeatable: false };
const compact = { kind: requests.compact, request: compactRequest, response: compactResponse, repeatable: false };
const leaseGrant = {
  kind: requests.leaseGrant,
  request: leaseGrantRequest,
  response: leaseGrantResponse,
  repeatable: false,
};
const leaseRevoke = {
  kind: requests.leaseRevoke,
  request: leaseIdRequest,
  response: leaseRevokeResponse,
  repeatable: false,
};
const leaseKeepAlive = {
  kind: requests.leaseKeepAlive,
  request: leaseIdRequest,
  response: leaseKeepAliveResponse,
  repeatable: true,
};
const leaseTimeToLive = {
  kind: requests.leaseTimeToLive,
  request: leaseTimeToLiveRequest,
  response: leaseTimeToLiveResponse,
  repeatable: true,
};
const status = { kind: requests.status, request: emptyRequest, response: statusResponse, repeatable: true };

class RemoteStore implements StoreClient {
  readonly #options: StoreClientOptions;
  readonly #endpoints: Endpoints;
  readonly #watches = new Set<RemoteWatch>();

  constructor(options: StoreClientOptions) {
    if (options.endpoints.length === 0) throw new Error('Cannot make a store client without endpoints');
    this.#options = options;
    this.#endpoints = new Endpoints(options);
  }

  range(request: RangeRequest, options?: CallOptions) {
    return this.#call(range, request, options);
  }

  put(request: PutRequest, options?: CallOptions) {
    return this.#call(put, request, options);
  }

  deleteRange(request: DeleteRangeRequest, options?: CallOptions) {
    return this.#call(deleteRange, request, options);
  }

  txn(request: TxnRequest, options?: CallOptions) {
    return this.#call(txn, request, options);
  }

  compact(revision: number, options?: CallOptions) {
    return this.#call(compact, { revision }, options);
  }

  leaseGrant(request: LeaseGrantRequest, options?: CallOptions) {
    return this.#call(leaseGrant, request, options);
  }

  leaseRevoke(id: number | bigint, options?: CallOptions) {
    return this.#call(leaseRevoke, { id }, options);
  }

  leaseKeepAlive(id: number | bigint, options?: CallOptions) {
    return this.#call(leaseKeepAlive, { id }, options);
  }

  leaseTimeToLive(id: number | bigint, options?: CallOptions & { readonly keys?: boolean }) {
    return this.#call(leaseTimeToLive, { id, keys: options?.keys === true }, options);
  }

  status(options?: CallOptions) {
    return this.#call(status, {}, options);
  }

  watch(request: WatchRequest, options?: { readonly signal?: AbortSignal }): StoreWatch {
    const watch = new RemoteWatch(this.#endpoints, this.#options.clock, request, () => this.#watches.delete(watch));
    this.#watches.add(watch);
    if (options?.signal?.aborted === true) watch.close();
    options?.signal?.addEventListener('abort', () => watch.close(), { once: true });
    return watch;
  }

  async close(): Promise<void> {
    for (const watch of [...this.#watches]) watch.close();
    this.#endpoints.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #call<Q, A>(method: Method<Q, A>, request: Q, options: CallOptions | undefined): Promise<A> {
    options?.signal?.throwIfAborted();
    const { clock } = this.#options;
    const deadline = new AbortController();
    const timeoutMs = options?.timeoutMs ?? this.#options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS;
    let lastFailure: unknown;
    let sent = false;
    const timer = clock.setTimer(timeoutMs, () => {
      // Before anything was sent nothing can have happened.
      const detail = `no answer within ${timeoutMs} ms`;
      deadline.abort(new StoreError(sent ? 'timeout' : 'unavailable', { detail, cause: lastFailure }));
    });
    const forward = () => deadline.abort(options?.signal?.reason);
    options?.signal?.addEventListener('abort', forward, { once: true });
    try {
      for (let attempt = 0; ; attempt++) {
        const connection = await this.#endpoints.connection(deadline.signal);
        sent = true;
        try {
          return await connection.call(method.kind, method.request, request, method.response, deadline.signal);
        } catch (error) {
          if (!this.#mayRepeat(method, connection, error)) throw error;
          lastFailure = error;
          sent = false;
          // The first time, waiting for a connection to a leader is enough.
          if (attempt > 0) await clock.sleep(Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** attempt), deadline.signal);
        }
      }
    } finally {
      timer.cancel();
      options?.signal?.removeEventListener('abort', forward);
    }
  }

  /** Certainly not applied, or harmless to do twice. */
  #mayRepeat(method: Method<never, unknown> | Method<unknown, unknown>, at: StoreConnection, error: unknown): boolean {
    if (!(error instanceof StoreError) || this.#endpoints.closed) return false;
    if (isStoreError(error, 'notLeader', 'noLeader', 'leaderChanged')) this.#endpoints.notLeader(at);
    if (isStoreError(error, 'notLeader', 'noLeader', 'unavailable')) return true;
    return method.repeatable && isStoreError(error, 'leaderChanged', 'connectionLost', 'stopped');
  }
}
