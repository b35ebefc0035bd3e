import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteReader, MalformedBytes } from './bytes.ts';
import { type Codec, encode } from './codec.ts';
import { putRequest, rangeRequest, rangeResponse, txnRequest, txnResponse } from './kv-codecs.ts';
import type { KeyValue, LeaseId, Revision, TxnRequest, TxnResponse, WatchBatch } from './messages.ts';
import { leaseTimeToLiveResponse, watchBatch, watchRequest } from './other-codecs.ts';

const decode = <T>(codec: Codec<T>, bytes: Buffer): T => codec.read(new ByteReader(bytes));
const revision = (value: number) => value as Revision;
const kv: KeyValue = {
  key: Buffer.from('/a'),
  value: Buffer.alloc(200, 1),
  createRevision: revision(3),
  modRevision: revision(300),
  version: 2,
  lease: 0 as LeaseId,
};

describe('messages on the wire', () => {
  it("have etcd's field numbers", () => {
    const bytes = encode(putRequest, { key: 'k', value: 'vv', lease: 5, prevKv: true });
    expect(bytes.toString('hex')).toBe('0a016b1202767618052001');
    const response = encode(
      rangeResponse,
      { revision: revision(7), kvs: [], more: true, count: 9 },
      { clusterId: 1, memberId: 2, term: 4 },
    );
    expect(response.toString('hex')).toBe('0a08080110021807200418012009');
  });

  it('come back as they went', () => {
    const request: TxnRequest = {
      compare: [
        { key: Buffer.from('a'), result: 'equal', target: 'mod', modRevision: 0 },
        { key: Buffer.from('a'), rangeEnd: Buffer.from('b'), result: 'less', target: 'value', value: Buffer.from('x') },
      ],
      success: [{ kind: 'txn', request: { failure: [{ kind: 'deleteRange', request: { key: Buffer.from('z') } }] } }],
      failure: [{ kind: 'put', request: { key: Buffer.from('a'), value: Buffer.from('b'), ignoreLease: true } }],
    };
    expect(decode(txnRequest, encode(txnRequest, request))).toEqual(request);
    const response: TxnResponse = {
      revision: revision(300),
      succeeded: true,
      responses: [
        { kind: 'put', response: { revision: revision(300), prevKv: kv } },
        { kind: 'range', response: { revision: revision(300), kvs: [kv, kv], more: false, count: 2 } },
        { kind: 'deleteRange', response: { revision: revision(300), deleted: 1, prevKvs: [kv] } },
      ],
    };
    expect(decode(txnResponse, encode(txnResponse, response))).toEqual(response);
    const batch: WatchBatch = {
      revision: revision(9),
      events: [
        { kind: 'delete', kv, prevKv: kv },
        { kind: 'put', kv },
      ],
      progress: false,
    };
    expect(decode(watchBatch, encode(watchBatch, batch))).toEqual(batch);
    const watch = { key: Buffer.from('a'), filters: ['noPut', 'noDelete'] as const, startRevision: 2 ** 52 };
    expect(decode(watchRequest, encode(watchRequest, watch))).toEqual(watch);
    const gone = { revision: revision(1), id: 1 as LeaseId, ttlSeconds: -1, grantedTtlSeconds: 0, keys: [] };
    expect(decode(leaseTimeToLiveResponse, encode(leaseTimeToLiveResponse, gone))).toEqual(gone);
  });

  it('take repeated numbers packed, as other encoders write them', () => {
    const filters = (hex: string) => decode(watchRequest, Buffer.from(hex, 'hex')).filters;
    expect(filters('28002801')).toEqual(['noPut', 'noDelete']);
    expect(filters('2a020001')).toEqual(['noPut', 'noDelete']);
    expect(filters('28012a0100')).toEqual(['noDelete', 'noPut']);
  });

  it('take bounds of any size and leases of 64 bits', () => {
    const forever = decode(rangeRequest, encode(rangeRequest, { key: 'k' }));
    expect(decode(rangeRequest, Buffer.from('0a016b58ffffffffffffffff7f', 'hex'))).toEqual({
      ...forever,
      maxModRevision: Number.MAX_SAFE_INTEGER,
    });
    const request = { key: Buffer.from('k'), value: Buffer.alloc(0), lease: 2n ** 62n };
    expect(decode(putRequest, encode(putRequest, request))).toEqual(request);
  });

  it('never crash a reader: garbage is decoded or refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        try {
          decode(txnRequest, Buffer.from(bytes));
          decode(watchBatch, Buffer.from(bytes));
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedBytes);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
