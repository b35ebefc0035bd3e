import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { createMetrics, seededRandom, silentLogger, systemClock } from '@wherry/daemon';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createBalancerMetrics } from '../pool/balancer-metrics.ts';
import { Pool } from '../pool/pool.ts';
import { Balancer } from '../server/balancer.ts';

/** A plain TCP backend behind a balancer: what happens to each byte and each end. */
describe('a relayed connection', () => {
  let target: Server;
  let pool: Pool;
  let balancer: Balancer;
  let arrivals: Socket[];
  let suspected: string[];
  const clients: Socket[] = [];

  beforeEach(async () => {
    arrivals = [];
    suspected = [];
    target = createServer({ allowHalfOpen: true }, (socket) => {
      socket.on('error', () => {});
      arrivals.push(socket);
      target.emit('arrival', socket);
    });
    await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve));
    const { port } = target.address() as AddressInfo;
    const metrics = createBalancerMetrics(createMetrics());
    pool = new Pool({
      backends: [{ host: '127.0.0.1', port, text: `127.0.0.1:${port}` }],
      thresholds: { healthy: 1, unhealthy: 1 },
      unreadyFallback: true,
      endStreamsWhenDown: true,
      random: seededRandom(1),
      logger: silentLogger,
      metrics,
    });
    for (const backend of pool.backends) pool.observe(backend, { kind: 'ready' });
    balancer = new Balancer({
      listen: [{ host: '127.0.0.1', port: 0, text: '127.0.0.1:0' }],
      pool,
      clock: systemClock,
      logger: silentLogger,
      metrics,
      connectionsMax: 3,
      connectTimeoutMs: 1000,
      keepAliveMs: 30_000,
      onSuspicion: ({ address }) => suspected.push(address.text),
    });
    await balancer.listen();
  });
  afterEach(async () => {
    for (const socket of [...clients.splice(0), ...arrivals]) socket.destroy();
    await balancer.close(0);
    await new Promise((resolve) => target.close(resolve));
  });

  const open = async (): Promise<{ client: Socket; server: Socket }> => {
    const arrival = once(target, 'arrival');
    const client = connect({ port: balancer.ports[0] ?? 0, host: '127.0.0.1', allowHalfOpen: true });
    client.on('error', () => {});
    clients.push(client);
    const [server]: Socket[] = await arrival;
    if (server === undefined) throw new Error('nobody arrived');
    // Connected is not yet joined: wait for a byte.
    server.write('!');
    await once(client, 'readable');
    expect(String(client.read())).toBe('!');
    return { client, server };
  };
  const ending = async (socket: Socket): Promise<string> => {
    socket.resume();
    const end = once(socket, 'end').then(() => 'FIN');
    const error = new Promise<string>((resolve) =>
      socket.once('error', (problem: Error & { code?: string }) => resolve(problem.code ?? '')),
    );
    return Promise.race([end, error]);
  };
  const text = async (socket: Socket): Promise<string> => {
    let all = '';
    for await (const chunk of socket.iterator({ destroyOnReturn: false })) all += chunk;
    return all;
  };

  it('carries an answer that begins after the client has ended its side', async () => {
    const { client, server } = await open();
    client.end('question');
    expect(await text(server)).toBe('question');
    expect(client.readableEnded).toBe(false);
    server.write('answer ');
    server.end('and end');
    expect(await text(client)).toBe('answer and end');
    await expect.poll(() => balancer.connections).toBe(0);
  });

  it('carries a question that goes on after the server has ended its side', async () => {
    const { client, server } = await open();
    server.end('bye');
    expect(await text(client)).toBe('bye');
    client.write('still ');
    client.end('here');
    expect(await text(server)).toBe('still here');
    await expect.poll(() => balancer.connections).toBe(0);
  });

  it('breaks the client when the server breaks, and suspects it', async () => {
    const { client, server } = await open();
    const end = ending(client);
    server.resetAndDestroy();
    expect(await end).toBe('ECONNRESET');
    expect(suspected.length).toBe(1);
    await expect.poll(() => balancer.connections).toBe(0);
  });

  it('breaks the server when the client breaks, and suspects nobody', async () => {
    const { client, server } = await open();
    const end = ending(server);
    client.resetAndDestroy();
    expect(await end).toBe('ECONNRESET');
    expect(suspected).toEqual([]);
  });

  it('holds back a sender whose receiver does not read', async () => {
    const { client, server } = await open();
    client.pause();
    const chunk = Buffer.alloc(1 << 20);
    let sent = 0;
    const total = 64;
    while (sent < total && server.write(chunk)) sent++;
    const pump = () => {
      while (sent < total && server.write(chunk)) sent++;
    };
    server.on('drain', pump);
    pump();
    await new Promise((resolve) => systemClock.setTimer(300, () => resolve(undefined)));
    expect(sent).toBeLessThan(total / 2);
    let received = 0;
    client.on('data', (data: Buffer) => {
      received += data.length;
    });
    client.resume();
    await expect.poll(() => received, { timeout: 10_000 }).toBeGreaterThan((total - 2) << 20);
  });

  it('refuses beyond its limit, and only then', async () => {
    await open();
    await open();
    const { client, server } = await open();
    const fourth = connect(balancer.ports[0] ?? 0, '127.0.0.1');
    expect(await ending(fourth)).toBe('ECONNRESET');
    client.destroy();
    server.end();
    server.resume();
    await expect.poll(() => balancer.connections).toBe(2);
    await open();
  });

  it('ends connections when their backend is declared down', async () => {
    const { client, server } = await open();
    const ends = Promise.all([ending(client), ending(server)]);
    for (const backend of pool.backends) pool.observe(backend, { kind: 'silent', why: 'quiet' });
    expect(await ends).toEqual(['ECONNRESET', 'ECONNRESET']);
    await expect.poll(() => balancer.connections).toBe(0);
    const next = connect(balancer.ports[0] ?? 0, '127.0.0.1');
    expect(await ending(next)).toBe('ECONNRESET');
  });

  it('lets connections go on after a stop until the deadline', async () => {
    const { client, server } = await open();
    const [port = 0] = balancer.ports;
    const closed = balancer.close(300);
    const end = ending(client);
    server.write('more');
    const [data] = await once(client, 'data');
    expect(String(data)).toBe('more');
    const late = connect(port, '127.0.0.1');
    expect(await ending(late)).toBe('ECONNREFUSED');
    await closed;
    expect(await end).toBe('ECONNRESET');
  });
});
