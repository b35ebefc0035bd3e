import { request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createServer, type Server } from 'node:net';
import { PassThrough, Readable } from 'node:stream';
import type { Pod, Status } from '@wherry/api';
import { createMetrics, Health, silentLogger, systemClock, systemRandom } from '@wherry/daemon';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { RuntimePod } from '../plan/runtime-state.ts';
import { HollowRuntime } from '../runtime/hollow/hollow-runtime.ts';
import type { ExecOptions, LogOptions, Session } from '../runtime/port.ts';
import { type TestAuthority, type TestPair, testAuthority } from '../testing/certificates.ts';
import { SpdyTestClient, webSocketMessages } from '../testing/spdy-client.ts';
import { KubeletServer } from './kubelet-server.ts';

/** Says what it hears, in capitals on standard error, and exits with its last argument. */
class EchoRuntime extends HollowRuntime {
  lastLogs: LogOptions | undefined;
  readonly sizes: string[] = [];

  override openExec(_containerId: string, options?: ExecOptions): Promise<Session> {
    const stdin = new PassThrough();
    const stdout = new PassThrough();
    const stderr = new PassThrough();
    stdin.on('data', (chunk: Buffer) => {
      stdout.write(chunk);
      stderr.write(chunk.toString().toUpperCase());
    });
    stdin.on('end', () => {
      stdout.end();
      stderr.end();
    });
    const exitCode = Number(options?.command.at(-1));
    const resize = (columns: number, rows: number) => Promise.resolve(void this.sizes.push(`${columns}x${rows}`));
    return Promise.resolve({
      stdin,
      stdout,
      stderr,
      resize,
      exitCode: () => Promise.resolve(exitCode),
      close: () => stdin.end(),
    });
  }

  override logs(containerId: string, options?: LogOptions): Promise<Readable> {
    this.lastLogs = options;
    return Promise.resolve(Readable.from([Buffer.from(`log of ${containerId}\n`)]));
  }
}

const runtime = new EchoRuntime({ clock: systemClock, random: systemRandom });
const pod: Pod = {
  metadata: { name: 'web', namespace: 'default', uid: 'u' },
  spec: {
    containers: [
      { name: 'c', image: 'x:1' },
      { name: 'late', image: 'x:1' },
    ],
  },
  status: {
    phase: 'Running',
    containerStatuses: [
      {
        name: 'late',
        image: '',
        imageID: '',
        ready: false,
        restartCount: 0,
        state: { waiting: { reason: 'ImagePullBackOff' } },
      },
    ],
  },
};
const container = (id: string, attempt: number, phase: 'running' | 'exited') => ({
  id,
  podUid: 'u',
  name: 'c',
  attempt,
  specHash: '',
  phase,
  createdAtMs: 1,
  image: '',
  imageId: '',
  sandboxId: 's',
  backoffMs: 0,
  graceSeconds: 1,
});
const runtimePod: RuntimePod = {
  uid: 'u',
  name: 'web',
  namespace: 'default',
  sandboxes: [{ id: 's', podUid: 'u', attempt: 0, ready: true, createdAtMs: 1, hostNetwork: false, ip: '127.0.0.1' }],
  containers: [container('second', 1, 'running'), container('first', 0, 'exited')],
};

let authority: TestAuthority;
let caller: TestPair;
let server: KubeletServer;
let port: number;

interface Answer {
  readonly status: number;
  readonly body: string;
}

function get(path: string, pair: TestPair | undefined = caller): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path, ca: authority.cert, agent: false, ...pair };
    const sent = request(options, (response) => {
      let body = '';
      response.on('data', (chunk) => (body += chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
    });
    sent.on('error', reject);
    sent.end();
  });
}

interface Spoken {
  readonly channels: Map<number, string>;
  readonly protocol: string;
}

/** Opens a WebSocket, sends messages and gathers what comes back by channel until the server closes. */
function speak(path: string, protocols: readonly string[], messages: readonly Buffer[]): Promise<Spoken> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`wss://127.0.0.1:${port}${path}`, [...protocols], { ca: authority.cert, ...caller });
    const channels = new Map<number, string>();
    socket.on('open', () => {
      for (const one of messages) socket.send(one);
    });
    socket.on('message', (data: Buffer) => {
      const channel = data[0] ?? -1;
      channels.set(channel, (channels.get(channel) ?? '') + data.subarray(1).toString('latin1'));
      // The greeting of port forwarding; an echo that came back is all that is wanted.
      if (protocols[0] === 'portforward.k8s.io' && channels.get(0)?.endsWith('ping') === true) socket.close();
    });
    socket.on('close', () => resolve({ channels, protocol: socket.protocol }));
    socket.on('unexpected-response', (_request, response) => reject(new Error(`status ${response.statusCode}`)));
    socket.on('error', reject);
  });
}

/** Asks for SPDY/3.1 and, once it is granted, speaks it. */
function upgradeToSpdy(path: string, protocol: string): Promise<SpdyTestClient> {
  return new Promise((resolve, reject) => {
    const headers = { connection: 'Upgrade', upgrade: 'SPDY/3.1', 'x-stream-protocol-version': protocol };
    const sent = request({ host: '127.0.0.1', port, path, method: 'POST', ca: authority.cert, headers, ...caller });
    sent.on('upgrade', (_response, socket, head) => {
      socket.unshift(head);
      resolve(new SpdyTestClient(socket));
    });
    sent.on('response', ({ statusCode }) => reject(new Error(`status ${statusCode}`)));
    sent.on('error', reject);
    sent.end();
  });
}

/** The same inside a WebSocket, by hand: clients in npm refuse the slash in the protocol's name. */
function tunnelSpdy(path: string, protocol: string): Promise<SpdyTestClient> {
  return new Promise((resolve, reject) => {
    const headers = {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': Buffer.alloc(16).toString('base64'),
      'sec-websocket-protocol': protocol,
    };
    const sent = request({ host: '127.0.0.1', port, path, ca: authority.cert, headers, ...caller });
    sent.on('upgrade', (response, socket, head) => {
      expect(response.headers['sec-websocket-protocol']).toBe(protocol);
      socket.unshift(head);
      resolve(new SpdyTestClient(webSocketMessages(socket)));
    });
    sent.on('error', reject);
    sent.end();
  });
}

const message = (channel: number, text: string) => Buffer.concat([Buffer.from([channel]), Buffer.from(text)]);
const closeStdin = Buffer.from([255, 0]);
const statusIn = (spoken: Spoken): Status => JSON.parse(spoken.channels.get(3) ?? '{}') as Status;

beforeAll(async () => {
  authority = await testAuthority();
  caller = await authority.issue('kube-apiserver-kubelet-client');
  port = await freePort();
  server = new KubeletServer({
    address: '127.0.0.1',
    port,
    tls: { ...(await authority.issue('n1')), clientCa: authority.cert },
    servedAt: () => ({
      nodeName: 'n1',
      directory: {
        find: (namespace, name) => (namespace === 'default' && name === 'web' ? pod : undefined),
        list: () => [pod],
        runtimePod: () => runtimePod,
      },
      runtime,
      isHollow: false,
    }),
    health: new Health(),
    metrics: createMetrics(),
    clock: systemClock,
    logger: silentLogger,
  });
  await server.listen();
});

afterAll(() => server.close());

function listen(target: Server): Promise<number> {
  return new Promise((resolve) => target.listen(0, '127.0.0.1', () => resolve((target.address() as AddressInfo).port)));
}

async function freePort(): Promise<number> {
  const probe = createServer();
  const found = await listen(probe);
  await new Promise((resolve) => probe.close(resolve));
  return found;
}

describe('KubeletServer', () => {
  it('answers nobody without a certificate, and few with one', async () => {
    expect(await get('/pods', { cert: '', key: '' })).toEqual({ status: 401, body: 'Unauthorized' });
    expect(
      (
        await get(
          '/pods',
          await authority
            .issue('kube-apiserver-kubelet-client')
            .then(async () => (await testAuthority()).issue('kube-apiserver-kubelet-client')),
        )
      ).status,
    ).toBe(401);
    const refused = await get('/pods', await authority.issue('someone', 'system:nodes'));
    expect(refused).toEqual({
      status: 403,
      body: 'Forbidden (user=someone, verb=get, resource=nodes, subresource(s)=[proxy])',
    });
    expect((await get('/pods', await authority.issue('admin', 'system:masters'))).status).toBe(200);
  });

  it('serves health, pods and metrics', async () => {
    expect(await get('/healthz')).toEqual({ status: 200, body: 'ok' });
    expect(JSON.parse((await get('/pods')).body)).toMatchObject({
      kind: 'PodList',
      items: [{ metadata: { name: 'web' } }],
    });
    expect((await get('/metrics')).status).toBe(200);
    expect((await get('/nonsense')).status).toBe(404);
    expect(JSON.parse((await get('/stats/summary')).body)).toMatchObject({
      node: { nodeName: 'n1' },
      pods: [{ podRef: { name: 'web' } }],
    });
  });

  it('serves logs of this run and of the one before', async () => {
    expect((await get('/containerLogs/default/web/c?tailLines=3&timestamps=true&sinceSeconds=60')).body).toBe(
      'log of second\n',
    );
    expect(runtime.lastLogs).toMatchObject({ tailLines: 3, timestamps: true, follow: false });
    expect((await get('/containerLogs/default/web/c?previous=true')).body).toBe('log of first\n');
    expect((await get('/containerLogs/default/web/c?limitBytes=5')).body).toBe('log o');
  });

  it.each([
    ['/containerLogs/default/web/c?tailLines=x', 400, 'invalid tailLines: "x"'],
    ['/containerLogs/default/gone/c', 404, 'pod "gone" not found'],
    ['/containerLogs/default/web/gone', 404, 'container not found ("gone")'],
    [
      '/containerLogs/default/web/late',
      400,
      'container "late" in pod "web" is waiting to start: trying and failing to pull image',
    ],
    ['/exec/default/web/c?command=x', 400, 'needs a WebSocket upgrade'],
  ])('refuses %s', async (path, status, words) => {
    const answer = await get(path);
    expect(answer.status).toBe(status);
    expect(answer.body).toContain(words);
  });

  it.each(['v5.channel.k8s.io', 'v4.channel.k8s.io'])('runs a command over %s', async (protocol) => {
    const path = '/exec/default/web/c?command=cat&command=0&input=1&output=1&error=1';
    // Closing stdin belongs to v5; a server that takes it in v4 too does no harm.
    const spoken = await speak(path, [protocol], [message(0, 'hello'), closeStdin]);
    expect(spoken.protocol).toBe(protocol);
    expect([spoken.channels.get(1), spoken.channels.get(2)]).toEqual(['hello', 'HELLO']);
    expect(statusIn(spoken)).toEqual({ metadata: {}, status: 'Success' });
  });

  it('tells the exit code of a command that failed', async () => {
    const spoken = await speak(
      '/exec/default/web/c?command=false&command=3&input=1&output=1',
      ['v5.channel.k8s.io'],
      [closeStdin],
    );
    expect(statusIn(spoken)).toMatchObject({
      status: 'Failure',
      reason: 'NonZeroExitCode',
      details: { causes: [{ reason: 'ExitCode', message: '3' }] },
    });
    expect(spoken.channels.has(2)).toBe(false);
  });

  it('passes the size of the terminal on', async () => {
    const resize = message(4, JSON.stringify({ Width: 120, Height: 40 }));
    await speak(
      '/exec/default/web/c?command=sh&command=0&input=1&output=1&tty=1',
      ['v5.channel.k8s.io'],
      [resize, closeStdin],
    );
    expect(runtime.sizes).toEqual(['120x40']);
  });

  it('refuses an unknown protocol and a container that is not there before the upgrade', async () => {
    await expect(speak('/exec/default/web/c?command=x', ['v1.unknown'], [])).rejects.toThrow('status 400');
    await expect(speak('/exec/default/web/late?command=x', ['v5.channel.k8s.io'], [])).rejects.toThrow('status 404');
    await expect(speak('/portForward/default/web', ['portforward.k8s.io'], [])).rejects.toThrow('status 400');
  });

  it('runs a command over SPDY, a stream each', async () => {
    const path = '/exec/default/web/c?command=cat&command=4&input=1&output=1&error=1';
    const client = await upgradeToSpdy(path, 'v4.channel.k8s.io');
    const streams = new Map<string, number>();
    for (const streamtype of ['error', 'stdin', 'stdout', 'stderr'])
      streams.set(streamtype, await client.open({ streamtype }));
    const of = (name: string): number => streams.get(name) ?? 0;
    client.send(of('stdin'), 'hello', true);
    expect(await client.heard(of('stdout'))).toEqual({ text: 'hello', reset: false });
    expect(await client.heard(of('stderr'))).toEqual({ text: 'HELLO', reset: false });
    expect(JSON.parse((await client.heard(of('error'))).text)).toMatchObject({ reason: 'NonZeroExitCode' });
  });

  it('passes the size of the terminal on over SPDY, and refuses streams that nobody asked for', async () => {
    runtime.sizes.length = 0;
    const path = '/exec/default/web/c?command=sh&command=0&input=1&output=1&tty=1';
    const client = await upgradeToSpdy(path, 'v4.channel.k8s.io');
    expect(await client.heard(await client.open({ streamtype: 'stderr' }))).toEqual({ text: '', reset: true });
    await client.open({ streamtype: 'error' });
    const [stdin, stdout, resize] = [
      await client.open({ streamtype: 'stdin' }),
      await client.open({ streamtype: 'stdout' }),
      await client.open({ streamtype: 'resize' }),
    ];
    client.send(resize, '{"Width":80,"Height":24}\n{"Width":90,"Height":25}\n');
    client.send(stdin, 'x', true);
    await client.heard(stdout);
    expect(runtime.sizes).toEqual(['80x24', '90x25']);
  });

  it('refuses a protocol of SPDY that it does not know', async () => {
    await expect(upgradeToSpdy('/exec/default/web/c?command=x', 'v1.unknown')).rejects.toThrow('status 403');
    await expect(upgradeToSpdy('/portForward/default/web', 'v4.channel.k8s.io')).rejects.toThrow('status 403');
  });

  it.each([
    ['SPDY', () => upgradeToSpdy('/portForward/default/web', 'portforward.k8s.io')],
    ['SPDY inside a WebSocket', () => tunnelSpdy('/portForward/default/web', 'SPDY/3.1+portforward.k8s.io')],
  ])('forwards connections side by side over %s, and tells when nobody listens', async (_way, connect) => {
    const echo = createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket));
    const echoPort = String(await listen(echo));
    const client = await connect();
    const pair = async (requestid: string) => {
      const error = await client.open({ streamtype: 'error', port: echoPort, requestid });
      client.send(error, '', true);
      return { error, data: await client.open({ streamtype: 'data', port: echoPort, requestid }) };
    };
    const [one, other] = [await pair('0'), await pair('1')];
    client.send(one.data, 'to one', true);
    client.send(other.data, 'to other', true);
    expect((await client.heard(other.data)).text).toBe('to other');
    expect((await client.heard(one.data)).text).toBe('to one');
    expect(await client.heard(one.error)).toEqual({ text: '', reset: false });
    await new Promise((resolve) => echo.close(resolve));
    const refused = await pair('2');
    expect((await client.heard(refused.error)).text).toContain(
      `error forwarding port ${echoPort} to pod web, uid u: connect ECONNREFUSED`,
    );
    client.leave();
  });

  it('forwards a port, and tells when nobody listens', async () => {
    const echo = createServer((socket) => socket.pipe(socket));
    const echoPort = await listen(echo);
    const spoken = await speak(
      `/portForward/default/web?port=${echoPort}`,
      ['portforward.k8s.io'],
      [message(0, 'ping')],
    );
    const header = Buffer.from([echoPort & 0xff, echoPort >> 8]).toString('latin1');
    expect(spoken.channels.get(0)).toBe(`${header}ping`);
    await new Promise((resolve) => echo.close(resolve));
    const refused = await speak(`/portForward/default/web?port=${echoPort}`, ['v4.channel.k8s.io'], []);
    expect(refused.channels.get(1)).toContain(`error forwarding port ${echoPort} to pod`);
  });
});
