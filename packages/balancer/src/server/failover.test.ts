import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Agent, type RequestOptions, request } from 'node:https';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { systemClock } from '@wherry/daemon';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type TestAuthority, testAuthority } from '../testing/certificates.ts';
import { FakeBackend } from '../testing/fake-backend.ts';

interface Line {
  readonly msg?: string;
  readonly address?: string;
  readonly backend?: string;
  readonly to?: string;
}

/** A stream that never ends by itself: which backend talks, and how it ended. */
interface Watch {
  readonly said: string;
  readonly ended: string | undefined;
}

/** The daemon as a process, two servers as processes: what clients notice when one of these dies. */
describe('the balancer', () => {
  let authority: TestAuthority;
  let folder: string;
  let a: FakeBackend;
  let b: FakeBackend;
  let daemon: ChildProcess;
  let lines: Line[];
  let port: number;
  let opsPort: number;
  let agent: Agent;

  beforeAll(async () => {
    authority = await testAuthority();
  });
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'wherry-balancer-'));
    await writeFile(join(folder, 'ca.crt'), authority.cert);
    [a, b] = await Promise.all([new FakeBackend('a', authority).start(), new FakeBackend('b', authority).start()]);
    agent = new Agent({ ca: authority.cert, maxSockets: Number.POSITIVE_INFINITY });
  });
  afterEach(async () => {
    daemon.kill('SIGCONT');
    daemon.kill('SIGKILL');
    agent.destroy();
    await Promise.all([a.kill(), b.kill()]);
    await rm(folder, { recursive: true });
  });

  const line = (msg: string, backend?: FakeBackend) =>
    lines.filter((line) => line.msg === msg && (backend === undefined || line.backend === backend.address));
  const seen = (msg: string, backend?: FakeBackend) =>
    expect.poll(() => line(msg, backend).length, { timeout: 5000, interval: 5 }).toBeGreaterThan(0);

  const start = async (...more: string[]): Promise<void> => {
    lines = [];
    opsPort = await freePort();
    const backends = [a, b].map(({ address }) => `--backend=${address}`);
    const file = join(import.meta.dirname, '../main.ts');
    const fixed = ['--listen=127.0.0.1:0', `--backend-ca-file=${join(folder, 'ca.crt')}`];
    const ops = `--healthz-bind-address=127.0.0.1:${opsPort}`;
    daemon = spawn(process.execPath, [file, ...fixed, ops, ...backends, ...more], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    if (daemon.stdout === null) throw new Error('no output to read');
    createInterface({ input: daemon.stdout }).on('line', (text) => lines.push(JSON.parse(text)));
    await seen('listening');
    port = Number(line('listening')[0]?.address?.split(':').at(-1));
  };
  const bothReady = async () => {
    await seen('backend is ready', a);
    await seen('backend is ready', b);
  };

  const ask = (path: string, options: RequestOptions = {}): Promise<string> =>
    new Promise((resolve, reject) => {
      const asked = request({ agent, host: '127.0.0.1', port, path, ...options }, (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (text: string) => {
          body += text;
        });
        response.on('end', () => resolve(body)).on('error', reject);
      });
      asked.on('error', (error: Error & { code?: string }) => reject(new Error(error.code ?? error.message)));
      asked.end();
    });
  const ops = async (path: string): Promise<string> => (await fetch(`http://127.0.0.1:${opsPort}${path}`)).text();
  const watch = (): Promise<Watch> =>
    new Promise((resolve, reject) => {
      const state = { said: '', ended: undefined as string | undefined };
      const end = (how: string) => {
        state.ended ??= how;
      };
      const asked = request({ agent, host: '127.0.0.1', port, path: '/watch' }, (response) => {
        response.setEncoding('utf8').on('data', (text: string) => {
          state.said += text;
          resolve(state);
        });
        response.on('error', (error: Error & { code?: string }) => end(error.code ?? error.message));
        response.on('end', () => end('end'));
      });
      asked.on('error', reject);
      asked.end();
    });
  const watches = (count: number) => Promise.all(Array.from({ length: count }, watch));
  const of = (all: readonly Watch[], { name }: FakeBackend) => all.filter(({ said }) => said.startsWith(name));
  const running = (all: readonly Watch[]) => all.filter(({ ended }) => ended === undefined).length;

  it('passes TLS through with the client certificate, and spreads by least connections', async () => {
    await start();
    await bothReady();
    expect(await ops('/readyz')).toBe('ok');
    const pair = await authority.issue('kubernetes-admin');
    expect(await ask('/whoami', pair)).toMatch(/^[ab] kubernetes-admin$/);
    const all = await watches(20);
    expect([of(all, a).length, of(all, b).length]).toEqual([10, 10]);
    const text = await ops('/metrics');
    expect(text).toContain(`wherry_balancer_connections{backend="${a.address}"} 10`);
    expect(text).toContain(`wherry_balancer_backend_up{backend="${b.address}"} 1`);
  });

  it('loses only the streams of a killed backend, and takes it back later', async () => {
    await start();
    await bothReady();
    const all = await watches(100);
    expect([of(all, a).length, of(all, b).length]).toEqual([50, 50]);
    const killedMs = performance.now();
    await a.kill();
    // No client fails: refused attempts go on to the other.
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask('/whoami')));
    expect(new Set(answers)).toEqual(new Set(['b nobody']));
    await expect.poll(() => running(of(all, a)), { timeout: 1000, interval: 5 }).toBe(0);
    await seen('backend is down', a);
    expect(performance.now() - killedMs).toBeLessThan(1000);
    const before = of(all, b).map(({ said }) => said.length);
    await expect.poll(() => of(all, b).every(({ said }, index) => said.length > (before[index] ?? 0))).toBe(true);
    expect(running(of(all, b))).toBe(50);
    expect(await ops('/metrics')).toContain(`wherry_balancer_backend_up{backend="${a.address}"} 0`);
    await a.start();
    await expect.poll(() => line('backend is ready', a).length, { timeout: 3000 }).toBe(2);
    expect(await ask('/whoami')).toBe('a nobody');
    expect(running(of(all, b))).toBe(50);
  });

  it('gives the clients of a dying backend to the other, also those it has just accepted', async () => {
    await start();
    await bothReady();
    const asked: Promise<string>[] = [];
    // Not closed yet when the first arrive, gone when the last do.
    a.pause();
    for (let round = 0; round < 5; round++) asked.push(ask('/whoami'));
    await sleep(30);
    await a.kill();
    for (let round = 0; round < 5; round++) asked.push(ask('/whoami'));
    expect(new Set(await Promise.all(asked))).toEqual(new Set(['b nobody']));
  });

  it('finds a paused backend within a second and ends its streams', async () => {
    await start();
    await bothReady();
    const all = await watches(20);
    const pausedMs = performance.now();
    a.pause();
    // The kernel accepts for the paused one: those clients are given to the other when it is found out.
    const caught = Promise.all(Array.from({ length: 10 }, () => ask('/whoami')));
    await expect.poll(() => running(of(all, a)), { timeout: 3000, interval: 5 }).toBe(0);
    expect(performance.now() - pausedMs).toBeLessThan(1200);
    expect(new Set(await caught)).toEqual(new Set(['b nobody']));
    expect(running(of(all, b))).toBe(10);
    expect(await ask('/whoami')).toBe('b nobody');
    expect(line('backend is down', a).length).toBe(1);
    a.resume();
    await expect.poll(() => line('backend is ready', a).length, { timeout: 3000 }).toBe(2);
    expect(await ask('/whoami')).toBe('a nobody');
  });

  it('leaves streams of a paused backend alone when told so', async () => {
    await start('--end-streams-when-down=false');
    await bothReady();
    const all = await watches(4);
    a.pause();
    await seen('backend is down', a);
    a.resume();
    const before = of(all, a).map(({ said }) => said.length);
    await expect.poll(() => of(all, a).every(({ said }, index) => said.length > (before[index] ?? 0))).toBe(true);
    expect(running(all)).toBe(4);
  });

  it('avoids a backend that is not ready without breaking it, and uses it when there is no other', async () => {
    await start();
    await bothReady();
    const all = await watches(10);
    await a.answerReadyz('fail');
    await b.answerReadyz('hang');
    await seen('backend is unready', a);
    await seen('backend is unready', b);
    expect(await ops('/readyz')).toContain('/readyz says 500; [-]etcd failed: no leader');
    expect(await ask('/whoami')).toMatch(/^[ab] nobody$/);
    await b.answerReadyz('ok');
    await expect.poll(() => line('backend is ready', b).length, { timeout: 3000 }).toBe(2);
    const answers = await Promise.all(Array.from({ length: 10 }, () => ask('/whoami')));
    expect(new Set(answers)).toEqual(new Set(['b nobody']));
    expect(running(all)).toBe(10);
    expect(line('backend is down')).toEqual([]);
  });

  it('refuses clients at once when no backend is left', async () => {
    await start();
    await bothReady();
    await Promise.all([a.kill(), b.kill()]);
    await seen('backend is down', a);
    await seen('backend is down', b);
    const startMs = performance.now();
    await expect(ask('/whoami')).rejects.toThrow('ECONNRESET');
    expect(performance.now() - startMs).toBeLessThan(200);
    expect(await ops('/readyz')).toContain('[-]backends failed');
    expect(await ops('/livez')).toBe('ok');
  });

  it('does not trust a backend with a certificate of others', async () => {
    await b.kill();
    await b.start(await testAuthority());
    await start();
    await seen('backend is ready', a);
    await seen('backend is down', b);
    const answers = await Promise.all(Array.from({ length: 10 }, () => ask('/whoami')));
    expect(new Set(answers)).toEqual(new Set(['a nobody']));
  });

  it('blames nobody for having been paused itself', async () => {
    await start();
    await bothReady();
    const all = await watches(10);
    // Nearly always there is a check under way, whose timers are due when the daemon wakes up.
    await Promise.all([a.answerReadyz('slow'), b.answerReadyz('slow')]);
    for (let pauses = 0; pauses < 3; pauses++) {
      await sleep(300 + 50 * pauses);
      daemon.kill('SIGSTOP');
      await sleep(1000);
      const late = ask('/whoami');
      daemon.kill('SIGCONT');
      expect(await late).toMatch(/^[ab] nobody$/);
    }
    await sleep(800);
    expect(running(all)).toBe(10);
    expect(lines.filter(({ to }) => to !== undefined && to !== 'ready')).toEqual([]);
  });

  it('drains after a signal and ends with 0', async () => {
    await start('--shutdown-grace-period=500ms');
    await bothReady();
    const [one] = await watches(1);
    const startMs = performance.now();
    const exit = new Promise((resolve) => daemon.once('exit', resolve));
    daemon.kill('SIGTERM');
    await seen('stopping');
    await expect.poll(() => ask('/whoami').catch((error: Error) => error.message)).toBe('ECONNREFUSED');
    expect(one?.ended).toBeUndefined();
    expect(await exit).toBe(0);
    expect(performance.now() - startMs).toBeGreaterThan(450);
    await expect.poll(() => one?.ended).toBe('ECONNRESET');
  });
});

function sleep(ms: number): Promise<void> {
  return systemClock.sleep(ms);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
