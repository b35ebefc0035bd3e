import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { type ClientHttp2Session, connect } from 'node:http2';
import { createServer, request, type Server } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { silentLogger, systemClock } from '@wherry/daemon';
import { controlPlaneWishes, ensureTree, nodeWishes } from '@wherry/pki';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KubeletClient } from '../proxying/kubelet-client.ts';
import { startTestServer, type TestServer } from '../testing/test-server.ts';
import { decodeProtobuf } from './protobuf/decode.ts';
import { encodeObject } from './protobuf/encode.ts';
import { HttpServer } from './server.ts';

let folder: string;
let api: TestServer;
let server: HttpServer;
let kubelet: Server;
let ca: string;
let admin: { cert: string; key: string };
const seen: string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'apiserver-'));
  const names = { ipAddresses: [], dnsNames: [], serviceIp: '10.96.0.1', clusterDomain: 'cluster.local' };
  await ensureTree(
    folder,
    [...controlPlaneWishes(names), ...nodeWishes({ name: 'n1', ipAddresses: ['127.0.0.1'] })],
    Date.now(),
  );
  const read = (name: string) => readFile(join(folder, name), 'utf8');
  const pair = async (name: string) => ({ cert: await read(`${name}.crt`), key: await read(`${name}.key`) });
  ca = await read('ca.crt');
  admin = await pair('clients/admin');
  kubelet = await fakeKubelet(await pair('nodes/n1/kubelet'));
  const own = await pair('apiserver-kubelet-client');
  const kubelets = new KubeletClient({
    clock: systemClock,
    certificate: own.cert,
    key: own.key,
    authority: ca,
    addressTypes: ['InternalIP'],
  });
  api = await startTestServer({ kubelets });
  const serving = await pair('apiserver');
  server = await HttpServer.listen({
    handle: api.server.handle,
    host: '127.0.0.1',
    port: 0,
    certificate: serving.cert,
    key: serving.key,
    clientAuthorities: [ca],
    logger: silentLogger,
  });
  await node('n1');
});

afterAll(async () => {
  await server.close();
  await api[Symbol.asyncDispose]();
  kubelet.close();
  kubelet.closeAllConnections();
  await rm(folder, { recursive: true });
});

async function fakeKubelet(pair: { cert: string; key: string }): Promise<Server> {
  const made = createServer({ ...pair, ca, requestCert: true, rejectUnauthorized: true }, (message, response) => {
    seen.push(message.url ?? '');
    response.end('line 1\nline 2\n');
  });
  made.on('upgrade', (message, socket) => {
    seen.push(message.url ?? '');
    socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n');
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => made.listen(0, '127.0.0.1', resolve));
  return made;
}

async function node(name: string): Promise<void> {
  const { port } = kubelet.address() as { port: number };
  await api.request('POST', '/api/v1/nodes', {
    body: {
      metadata: { name },
      status: {
        addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
        daemonEndpoints: { kubeletEndpoint: { Port: port } },
      },
    },
  });
  await api.request('POST', '/api/v1/namespaces/default/serviceaccounts', { body: { metadata: { name: 'default' } } });
  await api.request('POST', '/api/v1/namespaces/default/pods', {
    body: { metadata: { name: 'p' }, spec: { nodeName: name, containers: [{ name: 'c', image: 'i' }] } },
  });
}

function http1(
  path: string,
  identity: object,
  method = 'GET',
  body?: string,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port: server.address.port, path, ca, method, ...identity };
    const outgoing = request(options, (response) => {
      let text = '';
      response.on('data', (chunk) => {
        text += String(chunk);
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

function http2(session: ClientHttp2Session, path: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ':path': path });
    let status = 0;
    let text = '';
    stream.on('response', (headers) => {
      status = Number(headers[':status']);
    });
    stream.on('data', (chunk) => {
      text += String(chunk);
    });
    stream.on('end', () => resolve({ status, text }));
    stream.on('error', reject);
  });
}

describe('HttpServer', () => {
  it('speaks HTTP/1.1 and HTTP/2 on one port, to certificates it trusts', async () => {
    expect((await http1('/api/v1/namespaces/default', admin)).status).toBe(200);
    expect((await http1('/api/v1/namespaces/default', {})).status).toBe(401);
    const session = connect(`https://127.0.0.1:${server.address.port}`, { ca, ...admin });
    expect((await http2(session, '/api/v1/namespaces/default')).status).toBe(200);
    session.close();
  });

  it('answers 401 to a certificate of another authority', async () => {
    const foreign = {
      cert: await readFile(join(folder, 'apiserver-etcd-client.crt'), 'utf8'),
      key: await readFile(join(folder, 'apiserver-etcd-client.key'), 'utf8'),
    };
    expect((await http1('/api/v1/pods', foreign)).status).toBe(401);
  });

  it('refuses a body beyond the limit before it has read all of it', async () => {
    const answer = await http1(
      '/api/v1/namespaces/default/configmaps',
      { ...admin, headers: { 'content-type': 'application/json' } },
      'POST',
      'x'.repeat(5_000_000),
    );
    expect([answer.status, JSON.parse(answer.text)]).toEqual([
      413,
      expect.objectContaining({ reason: 'RequestEntityTooLarge' }),
    ]);
  });

  it('streams watch events over HTTP/2', async () => {
    const session = connect(`https://127.0.0.1:${server.address.port}`, { ca, ...admin });
    const stream = session.request({
      ':path': '/api/v1/configmaps?watch=1&resourceVersion=0&fieldSelector=metadata.name%3Dlive',
    });
    const first = new Promise<string>((resolve) => stream.once('data', (chunk) => resolve(String(chunk))));
    await new Promise((resolve) => stream.once('response', resolve));
    await api.request('POST', '/api/v1/namespaces/default/configmaps', { body: { metadata: { name: 'live' } } });
    expect(JSON.parse(await first)).toMatchObject({ type: 'ADDED', object: { metadata: { name: 'live' } } });
    stream.close();
    session.close();
  });
});

describe('protobuf on the wire', () => {
  const protobuf = 'application/vnd.kubernetes.protobuf';

  it('passes over HTTP/1.1 byte for byte', async () => {
    const body = encodeObject({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'binary' }, data: { k: 'é' } });
    const { port } = server.address;
    const path = '/api/v1/namespaces/default/configmaps';
    const headers = { 'content-type': protobuf, accept: protobuf };
    const answer = await new Promise<Buffer>((resolve, reject) => {
      const outgoing = request({ host: '127.0.0.1', port, path, ca, method: 'POST', headers, ...admin }, (response) => {
        const parts: Buffer[] = [];
        response.on('data', (chunk: Buffer) => parts.push(chunk));
        response.on('end', () => resolve(Buffer.concat(parts)));
      });
      outgoing.on('error', reject);
      outgoing.end(body);
    });
    expect(decodeProtobuf(answer)).toMatchObject({ kind: 'ConfigMap', metadata: { name: 'binary' }, data: { k: 'é' } });
    const same = await api.request('GET', `${path}/binary`, { headers: { accept: protobuf } });
    expect(same.bytes.equals(answer)).toBe(true);
  });

  it('comes in frames over HTTP/2', async () => {
    const session = connect(`https://127.0.0.1:${server.address.port}`, { ca, ...admin });
    const stream = session.request({
      ':path': '/api/v1/configmaps?watch=1&fieldSelector=metadata.name%3Dbinary',
      accept: `${protobuf};stream=watch`,
    });
    const first = new Promise<Buffer>((resolve) => stream.once('data', resolve));
    const type = await new Promise((resolve) => stream.once('response', (headers) => resolve(headers['content-type'])));
    const frame = await first;
    expect([type, frame.readUInt32BE(0)]).toEqual([`${protobuf};stream=watch`, frame.length - 4]);
    expect(decodeProtobuf(frame.subarray(frame.indexOf('k8s\0')))).toMatchObject({ metadata: { name: 'binary' } });
    stream.close();
    session.close();
  });
});

describe('connections to nodes', () => {
  it('passes logs through', async () => {
    const answer = await http1('/api/v1/namespaces/default/pods/p/log?tailLines=2&timestamps=true', admin);
    expect(answer).toEqual({ status: 200, text: 'line 1\nline 2\n' });
    expect(seen.at(-1)).toBe('/containerLogs/default/p/c?timestamps=true&tailLines=2');
    const wrong = await http1('/api/v1/namespaces/default/pods/p/log?container=x', admin);
    expect(JSON.parse(wrong.text)).toMatchObject({ code: 400, message: 'container x is not valid for pod p' });
  });

  it('passes requests to the node itself through', async () => {
    expect((await http1('/api/v1/nodes/n1/proxy/healthz?x=1', admin)).text).toBe('line 1\nline 2\n');
    expect(seen.at(-1)).toBe('/healthz?x=1');
  });

  it('joins an exec to the kubelet once it has decided that the caller may', async () => {
    const path = '/api/v1/namespaces/default/pods/p/exec?command=ls&command=-l&stdin=true&stdout=true&container=c';
    const answer = await upgrade(path, admin, 'ping');
    expect(answer).toMatch(/^HTTP\/1\.1 101 .*ping$/s);
    expect(seen.at(-1)).toBe('/exec/default/p/c?command=ls&command=-l&input=1&output=1');
    expect(await upgrade(path, {}, 'ping')).toMatch(/^HTTP\/1\.1 401 /);
    expect((await http1(path, admin)).status).toBe(400);
  });
});

function upgrade(path: string, identity: object, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connectTls({
      host: '127.0.0.1',
      port: server.address.port,
      ca,
      ...identity,
      ALPNProtocols: ['http/1.1'],
    });
    let received = '';
    socket.on('secureConnect', () => {
      socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`);
    });
    socket.on('data', (chunk) => {
      if (received === '' && String(chunk).startsWith('HTTP/1.1 101')) {
        socket.write(text);
      }
      received += String(chunk);
      if (received.endsWith(text)) {
        socket.end();
      }
    });
    socket.on('close', () => resolve(received));
    socket.on('error', reject);
  });
}
