import { once } from 'node:events';
import {
  createSecureServer,
  type Http2SecureServer,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import { createServer as createHttps } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { selfSigned } from '../testing/self-signed.ts';
import type { Transport } from './transport.ts';
import { undiciTransport } from './undici-transport.ts';

const watch = { method: 'GET', path: '/api/v1/pods?watch=true', multiplexed: true } as const;
let pair: { readonly cert: string; readonly key: string };
beforeAll(async () => {
  pair = await selfSigned();
});

describe('multiplexed requests', () => {
  let server: Http2SecureServer;
  let sessions: ServerHttp2Session[];
  let streams: ServerHttp2Stream[];
  let transport: Transport;

  beforeEach(async () => {
    sessions = [];
    streams = [];
    server = createSecureServer({ ...pair, allowHTTP1: true });
    server.on('session', (session) => sessions.push(session));
    server.on('stream', (stream, headers) => {
      streams.push(stream);
      stream.on('error', () => undefined);
      stream.respond({ ':status': 200, 'x-agent': headers['user-agent'] });
      stream.write('one\n');
    });
    server.on('request', (request, response) => {
      if (request.httpVersion === '1.1') response.end('http/1.1');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    transport = transportTo(server.address() as AddressInfo);
  });
  afterEach(async () => {
    await transport.close();
    for (const session of sessions) session.destroy();
    server.close();
  });

  it('share a connection, and others have their own', async () => {
    const responses = await Promise.all(Array.from({ length: 30 }, () => transport.request(watch)));
    expect(responses.map(({ status }) => status)).toEqual(Array(30).fill(200));
    expect(responses[0]?.headers['x-agent']).toBe('wherry');
    expect(sessions).toHaveLength(1);
    const plain = await transport.request({ method: 'GET', path: '/api/v1/pods' });
    expect(await text(plain.body)).toBe('http/1.1');
    for (const { body } of responses) expect(await first(body)).toBe('one\n');
  });

  it('get another connection when there are many', async () => {
    await Promise.all(Array.from({ length: 250 }, () => transport.request(watch)));
    expect(sessions).toHaveLength(3);
  });

  it('end at the server when the reader leaves or aborts', async () => {
    const leaving = await transport.request(watch);
    await first(leaving.body);
    await once(streams[0] as ServerHttp2Stream, 'close');
    const abort = new AbortController();
    const aborted = await transport.request({ ...watch, signal: abort.signal });
    abort.abort(new Error('enough'));
    await expect(text(aborted.body)).rejects.toThrow('enough');
    await once(streams[1] as ServerHttp2Stream, 'close');
  });

  it('end when the connection breaks, and the next one opens another', async () => {
    const broken = await transport.request(watch);
    const ended = text(broken.body).then(
      (read) => read,
      () => 'failed',
    );
    sessions[0]?.destroy();
    expect(['one\n', 'failed']).toContain(await ended);
    const again = await transport.request(watch);
    expect(await first(again.body)).toBe('one\n');
    expect(sessions).toHaveLength(2);
  });

  it('are refused with the reason when nobody listens', async () => {
    const { port } = server.address() as AddressInfo;
    const nowhere = transportTo({ port: port === 1 ? 2 : 1 });
    await expect(nowhere.request(watch)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await nowhere.close();
  });

  it('use HTTP/1.1 where the server speaks nothing else', async () => {
    const old = createHttps(pair, (_, response) => response.end('http/1.1'));
    old.listen(0, '127.0.0.1');
    await once(old, 'listening');
    const client = transportTo(old.address() as AddressInfo);
    const { body } = await client.request(watch);
    expect(await text(body)).toBe('http/1.1');
    await client.close();
    old.closeAllConnections();
    old.close();
  });

  function transportTo({ port }: { readonly port: number }): Transport {
    return undiciTransport({ server: `https://127.0.0.1:${port}`, ca: pair.cert });
  }
});

async function text(body: AsyncIterable<Uint8Array>): Promise<string> {
  let read = '';
  for await (const chunk of body) read += Buffer.from(chunk).toString();
  return read;
}

async function first(body: AsyncIterable<Uint8Array>): Promise<string> {
  for await (const chunk of body) return Buffer.from(chunk).toString();
  throw new Error('nothing came');
}
