/**
 * Every way a request to the store can fail, with etcd's words (api/v3rpc/rpctypes) and the gRPC code etcd answers
 * with. `outcome` says whether a write may still have happened.
 */
export interface StoreErrorFact {
  readonly message: string;
  readonly grpcCode: number;
  /** `none`: certainly not applied. `unknown`: it may have been, or may yet be. */
  readonly outcome: 'none' | 'unknown';
}

const INVALID_ARGUMENT = 3;
const DEADLINE_EXCEEDED = 4;
const NOT_FOUND = 5;
const RESOURCE_EXHAUSTED = 8;
const FAILED_PRECONDITION = 9;
const OUT_OF_RANGE = 11;
const UNIMPLEMENTED = 12;
const UNAVAILABLE = 14;
const DATA_LOSS = 15;

export const storeErrors = {
  compacted: fact('mvcc: required revision has been compacted', OUT_OF_RANGE),
  futureRevision: fact('mvcc: required revision is a future revision', OUT_OF_RANGE),
  noSpace: fact('mvcc: database space exceeded', RESOURCE_EXHAUSTED),
  emptyKey: fact('key is not provided', INVALID_ARGUMENT),
  keyNotFound: fact('key not found', INVALID_ARGUMENT),
  valueProvided: fact('value is provided', INVALID_ARGUMENT),
  leaseProvided: fact('lease is provided', INVALID_ARGUMENT),
  tooManyOps: fact('too many operations in txn request', INVALID_ARGUMENT),
  duplicateKey: fact('duplicate key given in txn request', INVALID_ARGUMENT),
  invalidArgument: fact('invalid argument', INVALID_ARGUMENT),
  leaseNotFound: fact('requested lease not found', NOT_FOUND),
  leaseExists: fact('lease already exists', FAILED_PRECONDITION),
  leaseTtlTooLarge: fact('too large lease TTL', OUT_OF_RANGE),
  requestTooLarge: fact('request is too large', INVALID_ARGUMENT),
  tooManyRequests: fact('too many requests', RESOURCE_EXHAUSTED),
  noLeader: fact('no leader', UNAVAILABLE),
  notLeader: fact('not leader', FAILED_PRECONDITION),
  leaderChanged: fact('leader changed', UNAVAILABLE, 'unknown'),
  stopped: fact('server stopped', UNAVAILABLE, 'unknown'),
  timeout: fact('request timed out', UNAVAILABLE, 'unknown'),
  /** The connection broke while a request was in flight. */
  connectionLost: fact('connection lost', UNAVAILABLE, 'unknown'),
  /** No endpoint could be reached: the request was never sent. */
  unavailable: fact('no endpoint is reachable', UNAVAILABLE),
  deadline: fact('context deadline exceeded', DEADLINE_EXCEEDED, 'unknown'),
  corrupt: fact('corrupt cluster', DATA_LOSS),
  unhealthy: fact('unhealthy cluster', UNAVAILABLE),
  memberExists: fact('member ID already exist', FAILED_PRECONDITION),
  peerUrlExists: fact('Peer URLs already exists', FAILED_PRECONDITION),
  memberNotFound: fact('member not found', NOT_FOUND),
  memberBadUrls: fact('given member URLs are invalid', INVALID_ARGUMENT),
  memberNotLearner: fact('can only promote a learner member', FAILED_PRECONDITION),
  learnerNotReady: fact('can only promote a learner member which is in sync with leader', FAILED_PRECONDITION),
  tooManyLearners: fact('too many learner members in cluster', FAILED_PRECONDITION),
  notEnoughStarted: fact('re-configuration failed due to not enough started members', FAILED_PRECONDITION),
  badLeaderTransferee: fact('bad leader transferee', FAILED_PRECONDITION),
  notForLearner: fact('rpc not supported for learner', FAILED_PRECONDITION),
  authNotEnabled: fact('authentication is not enabled', FAILED_PRECONDITION),
  /** A method of etcd's that this store does not have. */
  unimplemented: fact('unknown method', UNIMPLEMENTED),
} as const satisfies Record<string, StoreErrorFact>;

export type StoreErrorKind = keyof typeof storeErrors;

export interface StoreErrorDetails {
  readonly cause?: unknown;
  /** Appended to the message. */
  readonly detail?: string;
  /** `compacted` only: the oldest revision that can still be read. */
  readonly compactRevision?: number;
}

/** A refused or failed request. Switch on `kind`; an aborted signal rejects with the signal's own reason instead. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly kind: StoreErrorKind;
  readonly outcome: 'none' | 'unknown';
  readonly compactRevision: number | undefined;

  constructor(kind: StoreErrorKind, details: StoreErrorDetails = {}) {
    const message = storeErrors[kind].message;
    super(details.detail === undefined ? message : `${message}: ${details.detail}`, { cause: details.cause });
    this.kind = kind;
    this.outcome = storeErrors[kind].outcome;
    this.compactRevision = details.compactRevision;
  }
}

export function isStoreErrorKind(text: string): text is StoreErrorKind {
  return Object.hasOwn(storeErrors, text);
}

/** True for a StoreError of one of the kinds. */
export function isStoreError(error: unknown, ...kinds: readonly StoreErrorKind[]): error is StoreError {
  return error instanceof StoreError && (kinds.length === 0 || kinds.includes(error.kind));
}

function fact(message: string, grpcCode: number, outcome: 'none' | 'unknown' = 'none'): StoreErrorFact {
  return { message: `etcdserver: ${message}`, grpcCode, outcome };
}
