import { type ClientHttp2Session, connect, type OutgoingHttpHeaders } from 'node:http2';
import { duplexPair } from 'node:stream';
import { seededRandom, silentLogger, systemClock } from '@wherry/daemon';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Member } from '../client/testing/member.ts';
import { ByteReader } from '../schema/bytes.ts';
import { encode } from '../schema/codec.ts';
import { putRequest, rangeRequest, rangeResponse, txnRequest } from '../schema/kv-codecs.ts';
import { REQUEST_BYTES_MAX, REQUEST_FRAME_BYTES_MAX } from '../schema/limits.ts';
import { Requests } from '../server/requests.ts';
import { statusAnswer, type WatchAnswer, watchAnswer } from './codecs.ts';
import { serveGrpc } from './door.ts';
import { createEtcdApi, type EtcdApi } from './etcd-api.ts';
import { MessageReader } from './messages.ts';
import { testCluster } from './testing/test-cluster.ts';

const member = new Member();
let api: EtcdApi;
let session: ClientHttp2Session;

beforeAll(async () => {
  await member.start();
  const { replica } = member;
  if (replica === undefined) throw new Error('the member has not started');
  await replica.leaderKnown();
  const requests = new Requests(replica, seededRandom(2));
  const cluster = testCluster(requests);
  const logger = silentLogger;
  api = createEtcdApi({ replica, requests, cluster, clock: systemClock, logger, onRequest: () => undefined });
  session = connected();
});

afterAll(async () => {
  session.destroy();
  await member.stop();
});

function connected(): ClientHttp2Session {
  const [here, there] = duplexPair();
  serveGrpc(there, api);
  return connect('http://member', { createConnection: () => here });
}

function framed(payload: Uint8Array, flag = 0): Buffer {
  const head = Buffer.alloc(5);
  head[0] = flag;
  head.writeUInt32BE(payload.length, 1);
  return Buffer.concat([head, payload]);
}

interface Outcome {
  readonly http: number;
  readonly code: number;
  readonly text: string;
  readonly messages: readonly Buffer[];
}

/** Sends bytes to a method and gathers all that comes back. */
function call(path: string, body: Uint8Array, headers: OutgoingHttpHeaders = {}): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const stream = session.request({
      ':method': 'POST',
      ':path': `/etcdserverpb.${path}`,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...headers,
    });
    const reader = new MessageReader(2 ** 30);
    const messages: Buffer[] = [];
    let all: Readonly<Record<string, unknown>> = {};
    stream.on('response', (got) => {
      all = { ...all, ...got };
    });
    stream.on('trailers', (got) => {
      all = { ...all, ...got };
    });
    stream.on('data', (chunk: Buffer) => reader.push(chunk, (message) => messages.push(Buffer.from(message))));
    stream.on('error', reject);
    // Not its close: a client that was told to stop sending keeps the stream until it has sent all.
    stream.on('end', () => {
      stream.close();
      resolve({
        http: Number(all[':status']),
        code: Number(all['grpc-status']),
        text: decodeURIComponent(String(all['grpc-message'] ?? '')),
        messages,
      });
    });
    stream.end(body);
  });
}

const get = (key: string) => framed(encode(rangeRequest, { key }));

describe('the gRPC door', () => {
  it('puts and gets', async () => {
    const put = await call('KV/Put', framed(encode(putRequest, { key: 'a', value: 'b' })));
    expect(put).toMatchObject({ http: 200, code: 0 });
    const { messages } = await call('KV/Range', get('a'));
    const [kv] = rangeResponse.read(new ByteReader(messages[0] ?? Buffer.alloc(0))).kvs;
    expect(kv?.value.toString()).toBe('b');
  });

  it.each<[string, string, Uint8Array, OutgoingHttpHeaders, Partial<Outcome>]>([
    [
      'an unknown method',
      'KV/Nothing',
      get('a'),
      {},
      { code: 12, text: 'unknown method Nothing for service etcdserverpb.KV' },
    ],
    ['an unknown service', 'Nothing/Range', get('a'), {}, { code: 12, text: 'unknown service etcdserverpb.Nothing' }],
    ['compression', 'KV/Range', get('a'), { 'grpc-encoding': 'gzip' }, { code: 12 }],
    ['a compressed message', 'KV/Range', framed(Buffer.alloc(3), 1), {}, { code: 12 }],
    ['what is not gRPC', 'KV/Range', get('a'), { 'content-type': 'application/json' }, { http: 415 }],
    ['garbage', 'KV/Range', framed(Buffer.from([0xff, 0xff])), {}, { code: 13 }],
    ['no message', 'KV/Range', Buffer.alloc(0), {}, { code: 13 }],
    ['half a message', 'KV/Range', get('abc').subarray(0, 7), {}, { code: 13 }],
    ['a timeout that is none', 'KV/Range', get('a'), { 'grpc-timeout': 'soon' }, { code: 13 }],
    ['an empty key', 'KV/Range', get(''), {}, { code: 3, text: 'etcdserver: key is not provided' }],
    [
      'users',
      'Auth/UserList',
      framed(Buffer.alloc(0)),
      {},
      { code: 9, text: 'etcdserver: authentication is not enabled' },
    ],
    [
      'a lease that is none',
      'Lease/LeaseRevoke',
      framed(Buffer.from([8, 5])),
      {},
      { code: 5, text: 'etcdserver: requested lease not found' },
    ],
  ])('refuses %s', async (_, path, body, headers, expected) => {
    expect(await call(path, body, headers)).toMatchObject(expected);
  });

  it("refuses what is too large, in etcd's two ways", async () => {
    const put = (size: number) => framed(encode(putRequest, { key: 'a', value: Buffer.alloc(size) }));
    expect(await call('KV/Put', put(REQUEST_BYTES_MAX))).toMatchObject({
      code: 3,
      text: 'etcdserver: request is too large',
    });
    expect(await call('KV/Put', put(REQUEST_FRAME_BYTES_MAX))).toMatchObject({ code: 8, text: /larger than max/ });
  });

  it('answers transactions that only read without the log', async () => {
    const appended = () => member.replica?.raft.lastIndex;
    const before = appended();
    const read = { success: [{ kind: 'range', request: { key: 'a' } }] } as const;
    expect((await call('KV/Txn', framed(encode(txnRequest, read)))).code).toBe(0);
    expect(appended()).toBe(before);
    const write = { success: [{ kind: 'put', request: { key: 'a', value: 'c' } }] } as const;
    expect((await call('KV/Txn', framed(encode(txnRequest, write)))).code).toBe(0);
    expect(appended()).toBe((before ?? 0) + 1);
  });

  it('ends a call at its deadline', async () => {
    const startedMs = performance.now();
    expect(await call('Watch/Watch', Buffer.alloc(0), { 'grpc-timeout': '50m' })).toMatchObject({ code: 4 });
    expect(performance.now() - startedMs).toBeGreaterThan(45);
  });

  it('says a version that clients know what to do with, and whose it is', async () => {
    const { messages } = await call('Maintenance/Status', framed(Buffer.alloc(0)));
    expect(statusAnswer.read(new ByteReader(messages[0] ?? Buffer.alloc(0))).version).toMatch(/^3\.5\.\d+\+wherry\./);
  });

  it('answers anything with a status and goes on', async () => {
    const paths = [...api.methods.keys()].map((path) => path.slice('/etcdserverpb.'.length));
    const body = fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      fc.uint8Array({ maxLength: 60 }).map((each) => framed(each)),
    );
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...paths), body, async (path, bytes) => {
        const { http, code } = await call(path, bytes, { 'grpc-timeout': '20m' });
        expect(http).toBe(200);
        expect(code).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 300 },
    );
    expect((await call('KV/Range', get('a'))).code).toBe(0);
  });
});

describe('a watch call', () => {
  const create = (fields: readonly number[]) => framed(Buffer.from([0x0a, fields.length, ...fields]));
  const key = (name: string) => [0x0a, name.length, ...Buffer.from(name)];
  const progress = framed(Buffer.from([0x1a, 0]));
  const cancel = (id: number) => framed(Buffer.from([0x12, 2, 8, id]));

  async function watch(bodies: readonly Buffer[], during?: () => Promise<unknown>): Promise<WatchAnswer[]> {
    const answers = call('Watch/Watch', Buffer.concat(bodies), { 'grpc-timeout': '150m' });
    await during?.();
    return (await answers).messages.map((message) => watchAnswer.read(new ByteReader(message)));
  }

  const put = (name: string, value = '') => call('KV/Put', framed(encode(putRequest, { key: name, value })));

  it('numbers watches from 0, tells their events apart, and cancels one alone', async () => {
    const got = await watch([create(key('w1')), create(key('w2')), cancel(0)], async () => {
      await put('w1');
      await put('w2');
    });
    expect(got.map(({ watchId, created, canceled, events }) => [watchId, created, canceled, events.length])).toEqual([
      [0, true, false, 0],
      [1, true, false, 0],
      [0, false, true, 0],
      [1, false, false, 1],
    ]);
  });

  it('takes the filters that other encoders pack', async () => {
    const noDelete = [0x2a, 1, 1];
    const got = await watch([create([...key('f'), ...noDelete])], async () => {
      await put('f');
      await call('KV/DeleteRange', framed(Buffer.from(key('f'))));
      await put('f');
    });
    expect(got.flatMap(({ events }) => events.map(({ kind }) => kind))).toEqual(['put', 'put']);
  });

  it('reports progress for all of its watches at once', async () => {
    const got = await watch([create(key('p')), progress]);
    expect(got.at(-1)).toMatchObject({ watchId: -1, events: [], created: false });
    expect(got.at(-1)?.revision).toBe(member.replica?.mvcc.revision);
  });

  it('says why it will not watch', async () => {
    const id = [0x38, 7];
    const emptyRange = [...key('b'), 0x12, 1, 0x61];
    const got = await watch([create([...key('a'), ...id]), create([...key('b'), ...id]), create(emptyRange)]);
    expect(got.map(({ watchId, canceled, cancelReason }) => [watchId, canceled, cancelReason])).toEqual([
      [7, false, ''],
      [-1, true, 'mvcc: duplicate watch ID provided on the WatchStream'],
      [-1, true, 'mvcc: watcher range is empty'],
    ]);
  });

  it('tells a watch from a compacted revision where it may start', async () => {
    await put('c', '1');
    const { revision } = member.replica?.mvcc ?? { revision: 0 };
    await call('KV/Compact', framed(Buffer.from([8, revision])));
    const got = await watch([create([...key('c'), 0x18, 1])]);
    expect(got).toMatchObject([{ created: true }, { canceled: true, compactRevision: revision }]);
  });
});
