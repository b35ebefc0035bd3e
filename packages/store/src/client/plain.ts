import type { KeyValue, RangeResponse, ResponseOp, TxnResponse, WatchBatch, WatchEvent } from '../schema/messages.ts';

/**
 * Copies out of the store's own structures: versions there change shape on compaction, and holding one would hold
 * history. What a caller gets is his.
 */
export function plainKeyValue(kv: KeyValue): KeyValue {
  const { key, value, createRevision, modRevision, version, lease } = kv;
  return { key, value, createRevision, modRevision, version, lease };
}

export function plainRange(response: RangeResponse): RangeResponse {
  return { ...response, kvs: response.kvs.map(plainKeyValue) };
}

export function plainPrevKv<T extends { readonly prevKv?: KeyValue }>(response: T): T {
  return response.prevKv === undefined ? response : { ...response, prevKv: plainKeyValue(response.prevKv) };
}

export function plainTxn(response: TxnResponse): TxnResponse {
  return { ...response, responses: response.responses.map(plainOp) };
}

export function plainBatch(batch: WatchBatch): WatchBatch {
  return { ...batch, events: batch.events.map(plainEvent) };
}

function plainEvent(event: WatchEvent): WatchEvent {
  return plainPrevKv({ ...event, kv: plainKeyValue(event.kv) });
}

function plainOp(op: ResponseOp): ResponseOp {
  switch (op.kind) {
    case 'range':
      return { kind: 'range', response: plainRange(op.response) };
    case 'put':
      return { kind: 'put', response: plainPrevKv(op.response) };
    case 'deleteRange':
      return { kind: 'deleteRange', response: { ...op.response, prevKvs: op.response.prevKvs.map(plainKeyValue) } };
    case 'txn':
      return { kind: 'txn', response: plainTxn(op.response) };
  }
}
