import { bool, bound, bytes, type Codec, choice, header, int, leaseId, list, message, nested, text } from './codec.ts';
import { keyValue } from './kv-codecs.ts';
import type {
  LeaseGrantRequest,
  LeaseGrantResponse,
  LeaseId,
  LeaseKeepAliveResponse,
  LeaseRevokeResponse,
  LeaseTimeToLiveResponse,
  Revision,
  StatusResponse,
  WatchBatch,
  WatchEvent,
  WatchRequest,
} from './messages.ts';

/** Field numbers are etcd's (api/etcdserverpb/rpc.proto, api/mvccpb/kv.proto) but where a comment says otherwise. */
const EMPTY = Buffer.alloc(0);
const NO_REVISION = 0 as Revision;
const NO_LEASE = 0 as LeaseId;

/** etcd's WatchCreateRequest. */
export const watchRequest = message<WatchRequest>(
  {
    key: [1, bytes()],
    rangeEnd: [2, bytes()],
    startRevision: [3, bound],
    progressNotify: [4, bool],
    filters: [5, list(5, { ...choice<'noPut' | 'noDelete'>(['noPut', 'noDelete']), skip: () => false })],
    prevKv: [6, bool],
  },
  { key: EMPTY },
);

export const watchEvent: Codec<WatchEvent> = message<WatchEvent>(
  {
    kind: [1, choice<'put' | 'delete'>(['put', 'delete'])],
    kv: [2, nested(keyValue)],
    prevKv: [3, nested(keyValue)],
  },
  { kind: 'put' },
);

/** etcd's WatchResponse as far as it carries events; `progress` is our own field 100. */
export const watchBatch = message<WatchBatch>(
  { revision: [1, header<Revision>()], events: [11, list(11, nested(watchEvent))], progress: [100, bool] },
  { revision: NO_REVISION, events: [], progress: false },
);

export const leaseGrantRequest = message<LeaseGrantRequest>(
  { ttlSeconds: [1, int()], id: [2, leaseId()] },
  { ttlSeconds: 0 },
);

export const leaseGrantResponse = message<LeaseGrantResponse>(
  { revision: [1, header<Revision>()], id: [2, leaseId<LeaseId>()], ttlSeconds: [3, int()] },
  { revision: NO_REVISION, id: NO_LEASE, ttlSeconds: 0 },
);

/** Of revoke and keep-alive. */
export const leaseIdRequest = message<{ readonly id: number | bigint }>({ id: [1, leaseId()] }, { id: 0 });

export const leaseRevokeResponse = message<LeaseRevokeResponse>(
  { revision: [1, header<Revision>()] },
  { revision: NO_REVISION },
);

export const leaseKeepAliveResponse = message<LeaseKeepAliveResponse>(
  { revision: [1, header<Revision>()], id: [2, leaseId<LeaseId>()], ttlSeconds: [3, int()] },
  { revision: NO_REVISION, id: NO_LEASE, ttlSeconds: 0 },
);

export const leaseTimeToLiveRequest = message<{ readonly id: number | bigint; readonly keys?: boolean }>(
  { id: [1, leaseId()], keys: [2, bool] },
  { id: 0 },
);

export const leaseTimeToLiveResponse = message<LeaseTimeToLiveResponse>(
  {
    revision: [1, header<Revision>()],
    id: [2, leaseId<LeaseId>()],
    ttlSeconds: [3, int()],
    grantedTtlSeconds: [4, int()],
    keys: [5, list(5, { ...bytes<Buffer>(), skip: () => false })],
  },
  { revision: NO_REVISION, id: NO_LEASE, ttlSeconds: 0, grantedTtlSeconds: 0, keys: [] },
);

/** etcd's StatusResponse; cluster and member id stand in its header there, in fields 101 and 102 here. */
export const statusResponse = message<StatusResponse>(
  {
    revision: [1, header<Revision>()],
    version: [2, text],
    dbSizeBytes: [3, int()],
    leader: [4, int()],
    raftIndex: [5, int()],
    raftTerm: [6, int()],
    raftAppliedIndex: [7, int()],
    errors: [8, list(8, text)],
    isLearner: [10, bool],
    clusterId: [101, int()],
    memberId: [102, int()],
  },
  {
    revision: NO_REVISION,
    version: '',
    dbSizeBytes: 0,
    leader: 0,
    raftIndex: 0,
    raftTerm: 0,
    raftAppliedIndex: 0,
    errors: [],
    isLearner: false,
    clusterId: 0,
    memberId: 0,
  },
);

/** Our own: `not` is a member that certainly does not lead any more. */
export const leaderRequest = message<{ readonly not: number }>({ not: [1, int()] }, { not: 0 });

/** How a refusal travels: ours alone (over gRPC it will be a status code and a text). */
export interface WireError {
  readonly kind: string;
  readonly detail?: string;
  readonly compactRevision?: number;
}

export const wireError = message<WireError>(
  { kind: [1, text], detail: [2, text], compactRevision: [3, int()] },
  { kind: '' },
);
