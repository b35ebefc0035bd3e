import type { ByteWriter } from './bytes.ts';
import {
  bool,
  bound,
  bytes,
  type Codec,
  choice,
  type HeaderFacts,
  header,
  int,
  leaseId,
  list,
  message,
  nested,
  readFields,
} from './codec.ts';
import type {
  Bytes,
  CompactRequest,
  CompactResponse,
  Compare,
  CompareResult,
  DeleteRangeRequest,
  DeleteRangeResponse,
  KeyValue,
  LeaseId,
  PutRequest,
  PutResponse,
  RangeRequest,
  RangeResponse,
  RequestOp,
  ResponseOp,
  Revision,
  SortTarget,
  TxnRequest,
  TxnResponse,
} from './messages.ts';

/** Field numbers are etcd's (api/etcdserverpb/rpc.proto, api/mvccpb/kv.proto). */
const EMPTY = Buffer.alloc(0);
const NO_REVISION = 0 as Revision;

export const keyValue: Codec<KeyValue> = message<KeyValue>(
  {
    key: [1, bytes<Buffer>()],
    createRevision: [2, int<Revision>()],
    modRevision: [3, int<Revision>()],
    version: [4, int()],
    value: [5, bytes<Buffer>()],
    lease: [6, leaseId<LeaseId>()],
  },
  { key: EMPTY, value: EMPTY, createRevision: NO_REVISION, modRevision: NO_REVISION, version: 0, lease: 0 as LeaseId },
);

export const rangeRequest = message<RangeRequest>(
  {
    key: [1, bytes()],
    rangeEnd: [2, bytes()],
    limit: [3, bound],
    revision: [4, bound],
    sortOrder: [5, choice<'ascend' | 'descend'>([undefined, 'ascend', 'descend'])],
    sortTarget: [6, choice<SortTarget>(['key', 'version', 'create', 'mod', 'value'])],
    serializable: [7, bool],
    keysOnly: [8, bool],
    countOnly: [9, bool],
    minModRevision: [10, bound],
    maxModRevision: [11, bound],
    minCreateRevision: [12, bound],
    maxCreateRevision: [13, bound],
  },
  { key: EMPTY },
);

export const rangeResponse = message<RangeResponse>(
  { revision: [1, header<Revision>()], kvs: [2, list(2, nested(keyValue))], more: [3, bool], count: [4, int()] },
  { revision: NO_REVISION, kvs: [], more: false, count: 0 },
);

export const putRequest = message<PutRequest>(
  {
    key: [1, bytes()],
    value: [2, bytes()],
    lease: [3, leaseId()],
    prevKv: [4, bool],
    ignoreValue: [5, bool],
    ignoreLease: [6, bool],
  },
  { key: EMPTY, value: EMPTY },
);

export const putResponse = message<PutResponse>(
  { revision: [1, header<Revision>()], prevKv: [2, nested(keyValue)] },
  { revision: NO_REVISION },
);

export const deleteRangeRequest = message<DeleteRangeRequest>(
  { key: [1, bytes()], rangeEnd: [2, bytes()], prevKv: [3, bool] },
  { key: EMPTY },
);

export const deleteRangeResponse = message<DeleteRangeResponse>(
  { revision: [1, header<Revision>()], deleted: [2, int()], prevKvs: [3, list(3, nested(keyValue))] },
  { revision: NO_REVISION, deleted: 0, prevKvs: [] },
);

export const compactRequest = message<CompactRequest>({ revision: [1, int()], physical: [2, bool] }, { revision: 0 });
export const compactResponse = message<CompactResponse>(
  { revision: [1, header<Revision>()] },
  { revision: NO_REVISION },
);

/** Compare as it is on the wire: one field per thing compared with. */
interface RawCompare {
  readonly result?: CompareResult;
  readonly target?: Compare['target'];
  readonly key: Bytes;
  readonly version?: number;
  readonly createRevision?: number;
  readonly modRevision?: number;
  readonly value?: Bytes;
  readonly lease?: number | bigint;
  readonly rangeEnd?: Bytes;
}

const rawCompare = message<RawCompare>(
  {
    result: [1, choice<CompareResult>(['equal', 'greater', 'less', 'notEqual'])],
    target: [2, choice<Compare['target']>(['version', 'create', 'mod', 'value', 'lease'])],
    key: [3, bytes()],
    version: [4, bound],
    createRevision: [5, bound],
    modRevision: [6, bound],
    value: [7, bytes()],
    lease: [8, leaseId()],
    rangeEnd: [64, bytes()],
  },
  { key: EMPTY },
);

const compare: Codec<Compare> = {
  write: (writer, value, facts) => rawCompare.write(writer, value, facts),
  read(reader) {
    const raw = rawCompare.read(reader);
    const { key, result = 'equal', target = 'version', version = 0, createRevision = 0, modRevision = 0 } = raw;
    const { value = EMPTY, lease = 0 } = raw;
    const common = raw.rangeEnd === undefined ? { key, result } : { key, result, rangeEnd: raw.rangeEnd };
    switch (target) {
      case 'version':
        return { ...common, target, version };
      case 'create':
        return { ...common, target, createRevision };
      case 'mod':
        return { ...common, target, modRevision };
      case 'value':
        return { ...common, target, value };
      case 'lease':
        return { ...common, target, lease };
    }
  },
};

const NOTHING: RequestOp = { kind: 'range', request: { key: EMPTY } };

const requestOp: Codec<RequestOp> = {
  write(writer, op, facts) {
    switch (op.kind) {
      case 'range':
        return one(writer, 1, rangeRequest, op.request, facts);
      case 'put':
        return one(writer, 2, putRequest, op.request, facts);
      case 'deleteRange':
        return one(writer, 3, deleteRangeRequest, op.request, facts);
      case 'txn':
        return one(writer, 4, txnRequest, op.request, facts);
    }
  },
  read(reader) {
    let op: RequestOp = NOTHING;
    readFields(reader, (number, wire) => {
      if (wire !== 2 || number < 1 || number > 4) return false;
      const part = reader.part();
      if (number === 1) op = { kind: 'range', request: rangeRequest.read(part) };
      else if (number === 2) op = { kind: 'put', request: putRequest.read(part) };
      else if (number === 3) op = { kind: 'deleteRange', request: deleteRangeRequest.read(part) };
      else op = { kind: 'txn', request: txnRequest.read(part) };
      return true;
    });
    return op;
  },
};

const NO_ANSWER: ResponseOp = { kind: 'range', response: { revision: NO_REVISION, kvs: [], more: false, count: 0 } };

const responseOp: Codec<ResponseOp> = {
  write(writer, op, facts) {
    switch (op.kind) {
      case 'range':
        return one(writer, 1, rangeResponse, op.response, facts);
      case 'put':
        return one(writer, 2, putResponse, op.response, facts);
      case 'deleteRange':
        return one(writer, 3, deleteRangeResponse, op.response, facts);
      case 'txn':
        return one(writer, 4, txnResponse, op.response, facts);
    }
  },
  read(reader) {
    let op: ResponseOp = NO_ANSWER;
    readFields(reader, (number, wire) => {
      if (wire !== 2 || number < 1 || number > 4) return false;
      const part = reader.part();
      if (number === 1) op = { kind: 'range', response: rangeResponse.read(part) };
      else if (number === 2) op = { kind: 'put', response: putResponse.read(part) };
      else if (number === 3) op = { kind: 'deleteRange', response: deleteRangeResponse.read(part) };
      else op = { kind: 'txn', response: txnResponse.read(part) };
      return true;
    });
    return op;
  },
};

export const txnRequest: Codec<TxnRequest> = message<TxnRequest>(
  {
    compare: [1, list(1, nested(compare))],
    success: [2, list(2, nested(requestOp))],
    failure: [3, list(3, nested(requestOp))],
  },
  {},
);

export const txnResponse: Codec<TxnResponse> = message<TxnResponse>(
  { revision: [1, header<Revision>()], succeeded: [2, bool], responses: [3, list(3, nested(responseOp))] },
  { revision: NO_REVISION, succeeded: false, responses: [] },
);

function one<T>(writer: ByteWriter, number: number, codec: Codec<T>, value: T, facts: HeaderFacts): void {
  writer.varint((number << 3) | 2);
  const start = writer.beginSized();
  codec.write(writer, value, facts);
  writer.endSized(start);
}
