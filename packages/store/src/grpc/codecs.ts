import {
  bool,
  bound,
  bytes,
  type Codec,
  choice,
  type FieldType,
  header,
  int,
  leaseId,
  list,
  message,
  nested,
  text,
} from '../schema/codec.ts';
import type { LeaseId, Revision, WatchEvent, WatchRequest } from '../schema/messages.ts';
import { watchEvent, watchRequest } from '../schema/other-codecs.ts';

/** Messages that only the gRPC door has. Field numbers are etcd's (api/etcdserverpb/rpc.proto). */
const EMPTY = Buffer.alloc(0);
const NO_REVISION = 0 as Revision;

/** A member's or cluster's number from a client: beyond 2^53 it cannot be one of ours, and is read as one that is not. */
const foreignId: FieldType<number> = bound;

export interface Empty {
  readonly revision: Revision;
}

/** A request or response whose fields we do not look at: nothing but a header. */
export const empty: Codec<Empty> = message<Empty>({ revision: [1, header<Revision>()] }, { revision: NO_REVISION });
/** A request that says nothing, or nothing that matters here. */
export const nothing: Codec<object> = message<object>({}, {});

export interface WatchCreate extends WatchRequest {
  /** 0: the store chooses. */
  readonly watchId: number;
  /** Large responses come in parts. */
  readonly fragment: boolean;
}

const watchOptions = message<{ readonly watchId: number; readonly fragment: boolean }>(
  { watchId: [7, int()], fragment: [8, bool] },
  { watchId: 0, fragment: false },
);

const watchId = message<{ readonly watchId: number }>({ watchId: [1, bound] }, { watchId: 0 });

/** One of the three; of one that is none, nothing is known. `create` is read twice: part of it is a WatchRequest. */
interface WatchCall {
  readonly create?: Buffer;
  readonly cancel?: { readonly watchId: number };
  readonly progress?: object;
}

export const watchCall = message<WatchCall>(
  {
    create: [1, { ...bytes<Buffer>(), skip: () => false }],
    cancel: [2, nested(watchId)],
    progress: [3, nested(nothing)],
  },
  {},
);

export { watchOptions, watchRequest };

export interface WatchAnswer {
  readonly revision: Revision;
  readonly watchId: number;
  readonly created: boolean;
  readonly canceled: boolean;
  readonly compactRevision: number;
  readonly cancelReason: string;
  readonly fragment: boolean;
  readonly events: readonly WatchEvent[];
}

export const watchAnswer = message<WatchAnswer>(
  {
    revision: [1, header<Revision>()],
    watchId: [2, int()],
    created: [3, bool],
    canceled: [4, bool],
    compactRevision: [5, int()],
    cancelReason: [6, text],
    fragment: [7, bool],
    events: [11, list(11, nested(watchEvent))],
  },
  {
    revision: NO_REVISION,
    watchId: 0,
    created: false,
    canceled: false,
    compactRevision: 0,
    cancelReason: '',
    fragment: false,
    events: [],
  },
);

const leaseStatus = message<{ readonly id: LeaseId }>({ id: [1, leaseId<LeaseId>()] }, { id: 0 as LeaseId });

export interface LeaseList {
  readonly revision: Revision;
  readonly leases: readonly { readonly id: LeaseId }[];
}

export const leaseList = message<LeaseList>(
  { revision: [1, header<Revision>()], leases: [2, list(2, nested(leaseStatus))] },
  { revision: NO_REVISION, leases: [] },
);

export interface MemberMessage {
  readonly id: number;
  readonly name: string;
  readonly peerUrls: readonly string[];
  readonly clientUrls: readonly string[];
  readonly isLearner: boolean;
}

const member = message<MemberMessage>(
  {
    id: [1, int()],
    name: [2, text],
    peerUrls: [3, list(3, text)],
    clientUrls: [4, list(4, text)],
    isLearner: [5, bool],
  },
  { id: 0, name: '', peerUrls: [], clientUrls: [], isLearner: false },
);

export interface MembersAnswer {
  readonly revision: Revision;
  readonly members: readonly MemberMessage[];
}

export interface MemberAdded extends MembersAnswer {
  readonly member: MemberMessage;
}

export const memberAddRequest = message<{ readonly peerUrls: readonly string[]; readonly isLearner: boolean }>(
  { peerUrls: [1, list(1, text)], isLearner: [2, bool] },
  { peerUrls: [], isLearner: false },
);
export const memberAdded = message<MemberAdded>(
  { revision: [1, header<Revision>()], member: [2, nested(member)], members: [3, list(3, nested(member))] },
  { revision: NO_REVISION, members: [] },
);
export const membersAnswer = message<MembersAnswer>(
  { revision: [1, header<Revision>()], members: [2, list(2, nested(member))] },
  { revision: NO_REVISION, members: [] },
);
export const memberIdRequest = message<{ readonly id: number }>({ id: [1, foreignId] }, { id: 0 });
export const memberUpdateRequest = message<{ readonly id: number; readonly peerUrls: readonly string[] }>(
  { id: [1, foreignId], peerUrls: [2, list(2, text)] },
  { id: 0, peerUrls: [] },
);
export const memberListRequest = message<{ readonly linearizable: boolean }>(
  { linearizable: [1, bool] },
  { linearizable: false },
);

export type AlarmName = 'NONE' | 'NOSPACE' | 'CORRUPT';
const alarmName = choice<AlarmName>(['NONE', 'NOSPACE', 'CORRUPT']);

export interface AlarmRequest {
  readonly action: 'get' | 'activate' | 'deactivate';
  readonly memberId: number;
  readonly alarm: AlarmName;
}

export const alarmRequest = message<AlarmRequest>(
  {
    action: [1, choice<AlarmRequest['action']>(['get', 'activate', 'deactivate'])],
    memberId: [2, foreignId],
    alarm: [3, alarmName],
  },
  { action: 'get', memberId: 0, alarm: 'NONE' },
);

interface AlarmMember {
  readonly memberId: number;
  readonly alarm: AlarmName;
}

const alarmMember = message<AlarmMember>(
  { memberId: [1, int()], alarm: [2, alarmName] },
  { memberId: 0, alarm: 'NONE' },
);

export const alarmAnswer = message<{ readonly revision: Revision; readonly alarms: readonly AlarmMember[] }>(
  { revision: [1, header<Revision>()], alarms: [2, list(2, nested(alarmMember))] },
  { revision: NO_REVISION, alarms: [] },
);

export interface StatusAnswer {
  readonly revision: Revision;
  readonly version: string;
  readonly dbSizeBytes: number;
  readonly leader: number;
  readonly raftIndex: number;
  readonly raftTerm: number;
  readonly raftAppliedIndex: number;
  readonly errors: readonly string[];
  readonly dbSizeInUseBytes: number;
  readonly isLearner: boolean;
}

export const statusAnswer = message<StatusAnswer>(
  {
    revision: [1, header<Revision>()],
    version: [2, text],
    dbSizeBytes: [3, int()],
    leader: [4, int()],
    raftIndex: [5, int()],
    raftTerm: [6, int()],
    raftAppliedIndex: [7, int()],
    errors: [8, list(8, text)],
    dbSizeInUseBytes: [9, int()],
    isLearner: [10, bool],
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
    dbSizeInUseBytes: 0,
    isLearner: false,
  },
);

export interface HashAnswer {
  readonly revision: Revision;
  readonly hash: number;
  readonly compactRevision: number;
  readonly hashRevision: number;
}

export const hashRequest = message<{ readonly revision: number }>({ revision: [1, int()] }, { revision: 0 });
export const hashAnswer = message<HashAnswer>(
  {
    revision: [1, header<Revision>()],
    hash: [2, int()],
    compactRevision: [3, int()],
    hashRevision: [4, int()],
  },
  { revision: NO_REVISION, hash: 0, compactRevision: 0, hashRevision: 0 },
);

export interface SnapshotPart {
  readonly revision: Revision;
  readonly remainingBytes: number;
  readonly blob: Buffer;
}

export const snapshotPart = message<SnapshotPart>(
  { revision: [1, header<Revision>()], remainingBytes: [2, int()], blob: [3, bytes<Buffer>()] },
  { revision: NO_REVISION, remainingBytes: 0, blob: EMPTY },
);

export const authStatus = message<{ readonly revision: Revision; readonly enabled: boolean }>(
  { revision: [1, header<Revision>()], enabled: [2, bool] },
  { revision: NO_REVISION, enabled: false },
);
