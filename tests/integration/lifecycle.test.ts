import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Cluster } from '../harness/cluster.ts';
import { eventually } from '../harness/eventually.ts';
import { repository } from '../harness/repository.ts';

interface DaemonStatus {
  readonly name: string;
  readonly kind: string;
  readonly pid: number;
  readonly addresses: readonly string[];
  readonly healthy: boolean;
  readonly leader: boolean;
}

async function statusOf(cluster: Cluster): Promise<readonly DaemonStatus[]> {
  const { daemons }: { daemons: readonly DaemonStatus[] } = JSON.parse(
    await cluster.wherryOk(['status', '-o', 'json']),
  );
  return daemons;
}

const pidsOf = async (cluster: Cluster): Promise<Readonly<Record<string, number>>> =>
  Object.fromEntries((await statusOf(cluster)).map(({ name, pid }) => [name, pid]));

/** A process that has ended stays visible until its parent asks, which process 1 of a sandbox may never do. */
const lives = (pid: number): boolean =>
  existsSync(`/proc/${pid}/stat`) && !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));

const allHealthy = (cluster: Cluster): Promise<void> =>
  eventually('all daemons are healthy', async () => {
    expect((await statusOf(cluster)).filter(({ healthy }) => !healthy)).toEqual([]);
  });

describe('a control plane without nodes', () => {
  const cluster = new Cluster({ name: 'lifecycle', nodes: 0, port: 17443 });
  beforeAll(async () => {
    await cluster.up();
  });
  afterAll(async () => {
    await cluster.down();
    rmSync(cluster.home, { recursive: true });
  });

  test('status tells of every daemon, in people’s form and in JSON', async () => {
    await allHealthy(cluster);
    const daemons = await statusOf(cluster);
    expect(daemons.map(({ kind }) => kind)).toEqual(['store', 'apiserver', 'scheduler', 'controller-manager']);
    for (const daemon of daemons) {
      expect(Object.keys(daemon).sort()).toEqual(['addresses', 'healthy', 'kind', 'leader', 'name', 'pid']);
      expect(lives(daemon.pid), daemon.name).toBe(true);
    }
    expect(daemons.find(({ kind }) => kind === 'apiserver')?.addresses).toContain('127.0.0.1:17443');
    await eventually('leaders are elected', async () => {
      const leaders = (await statusOf(cluster)).filter(({ leader }) => leader).map(({ kind }) => kind);
      expect(leaders).toEqual(['store', 'scheduler', 'controller-manager']);
    });
    expect(await cluster.wherryOk(['status'])).toMatch(/^NAME +KIND +PID +STATUS +LEADER +ADDRESSES\n/);
  });

  test('a second up touches nothing', async () => {
    const before = await pidsOf(cluster);
    await cluster.wherryOk(['up']);
    expect(await pidsOf(cluster)).toEqual(before);
  });

  test('a killed daemon stays dead until it is started', async () => {
    const before = await pidsOf(cluster);
    await cluster.wherryOk(['daemon', 'kill', 'scheduler']);
    await sleep(1000);
    const scheduler = (await statusOf(cluster)).find(({ kind }) => kind === 'scheduler');
    expect(scheduler).toMatchObject({ pid: 0, healthy: false, leader: false });
    expect((await cluster.wherry(['daemon', 'kill', 'scheduler'])).stderr).toContain('scheduler-1 does not run');
    await cluster.wherryOk(['daemon', 'start', 'scheduler']);
    await allHealthy(cluster);
    const after = await pidsOf(cluster);
    expect(after['scheduler-1']).not.toBe(before['scheduler-1']);
    expect({ ...after, 'scheduler-1': 0 }).toEqual({ ...before, 'scheduler-1': 0 });
  });

  test('up starts what is gone and resumes what was paused, and leaves the rest alone', async () => {
    const before = await pidsOf(cluster);
    await cluster.wherryOk(['daemon', 'kill', 'store-1']);
    await cluster.wherryOk(['daemon', 'pause', 'controller-manager']);
    const paused = (await statusOf(cluster)).find(({ kind }) => kind === 'controller-manager');
    expect(paused).toMatchObject({ pid: before['controller-manager-1'], healthy: false });
    await cluster.wherryOk(['up']);
    await allHealthy(cluster);
    const after = await pidsOf(cluster);
    expect(after['store-1']).not.toBe(before['store-1']);
    expect(after['apiserver-1']).toBe(before['apiserver-1']);
  });

  test('pause and resume', async () => {
    await cluster.wherryOk(['daemon', 'pause', 'scheduler']);
    expect(await cluster.wherryOk(['daemon', 'list'])).toMatch(/^scheduler-1 +scheduler +\d+ +paused /m);
    await cluster.wherryOk(['daemon', 'resume', 'scheduler']);
    await allHealthy(cluster);
  });

  test('logs are JSON lines', async () => {
    const lines = (await cluster.wherryOk(['daemon', 'logs', 'apiserver', '--tail', '3'])).trim().split('\n');
    expect(lines).toHaveLength(3);
    for (const line of lines) expect(JSON.parse(line)).toHaveProperty('msg');
  });

  test('down keeps data, and up brings it back', async () => {
    await cluster.kubectlOk(['create', 'namespace', 'kept']);
    const before = await pidsOf(cluster);
    await cluster.wherryOk(['down']);
    expect(Object.values(before).filter(lives)).toEqual([]);
    expect(await cluster.wherryOk(['status', '-o', 'json'])).toContain('"daemons": []');
    await cluster.wherryOk(['up']);
    expect(await cluster.kubectlOk(['get', 'namespace', 'kept', '-o', 'name'])).toBe('namespace/kept\n');
  });

  test('a name that is wrong is answered with the right ones', async () => {
    const { code, stderr } = await cluster.wherry(['daemon', 'kill', 'nonsense']);
    expect(code).toBe(1);
    expect(stderr).toContain(
      'has no daemon "nonsense": it has store-1, apiserver-1, scheduler-1, controller-manager-1',
    );
  });

  test('an interrupted first up leaves nothing', async () => {
    const other = new Cluster({ name: 'interrupted', nodes: 0, port: 17444 });
    const child = spawn('sh', [join(repository, 'wherry'), 'up', '--name', 'interrupted', '--nodes', '0'], {
      env: { ...process.env, WHERRY_HOME: other.home },
      stdio: 'ignore',
    });
    await eventually(
      'a daemon was started',
      () => expect(existsSync(join(other.home, 'interrupted/run/store-1.json'))).toBe(true),
      { everyMs: 5 },
    );
    const { process: store } = JSON.parse(readFileSync(join(other.home, 'interrupted/run/store-1.json'), 'utf8'));
    child.kill('SIGINT');
    const [code] = await once(child, 'exit');
    expect(code).toBe(130);
    expect(lives(store.pid)).toBe(false);
    expect(existsSync(join(other.home, 'interrupted'))).toBe(false);
    rmSync(other.home, { recursive: true });
  });

  test('an up that was killed half-way is finished by the next', async () => {
    const other = new Cluster({ name: 'half', nodes: 0, port: 17445 });
    const child = spawn('sh', [join(repository, 'wherry'), 'up', '--name', 'half', '--nodes', '0', '--port', '17445'], {
      env: { ...process.env, WHERRY_HOME: other.home },
      stdio: 'ignore',
    });
    try {
      await eventually(
        'a daemon was started',
        () => expect(existsSync(join(other.home, 'half/run/store-1.json'))).toBe(true),
        { everyMs: 5 },
      );
      child.kill('SIGKILL');
      await once(child, 'exit');
      await other.wherryOk(['up']);
      await allHealthy(other);
      // Both clusters at once: neither took the other's ports.
      await allHealthy(cluster);
    } finally {
      await other.down();
    }
    expect(existsSync(join(other.home, 'half'))).toBe(false);
    rmSync(other.home, { recursive: true });
  });
});

describe('refusals are one sentence and leave nothing', () => {
  const cluster = new Cluster({ name: 'refused', nodes: 0, port: 17446 });
  afterAll(() => rmSync(cluster.home, { recursive: true, force: true }));
  const refusal = async (args: readonly string[]): Promise<string> => {
    const { code, stderr } = await cluster.wherry(args);
    expect(code).toBe(1);
    expect(existsSync(join(cluster.home, 'refused'))).toBe(false);
    return stderr.split('\n').find((line) => line.startsWith('wherry: ')) ?? stderr;
  };

  test('a port in use', async () => {
    const server = createServer().listen(17446, '0.0.0.0');
    await once(server, 'listening');
    try {
      expect(await refusal(['up', '--nodes', '0', '--port', '17446'])).toBe(
        'wherry: Port 17446 is in use by another process: free it, or choose another with --port',
      );
    } finally {
      server.close();
    }
  });

  test('a store that could not have a majority', async () => {
    expect(await refusal(['up', '--stores', '2'])).toMatch(/^wherry: Cannot start 2 stores: a store has 1, 3 or 5/);
  });

  test('no Docker engine where one was asked for', async () => {
    const { stderr, code } = await cluster.wherry(['up', '--runtime', 'docker'], {
      environment: { DOCKER_HOST: 'tcp://127.0.0.1:1' },
    });
    expect(code).toBe(1);
    expect(stderr).toContain(
      'wherry: Cannot run nodes on Docker: the Docker engine at tcp://127.0.0.1:1 is on another machine',
    );
    expect(existsSync(join(cluster.home, 'refused'))).toBe(false);
  });
});
