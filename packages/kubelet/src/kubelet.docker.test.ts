// The kubelet on a real engine. This machine's own network namespace is the node.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { silentLogger, systemClock, systemRandom } from '@wherry/daemon';
import Docker from 'dockerode';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { runCommand } from './host/commands.ts';
import { KernelWiring } from './network/kernel-wiring.ts';
import { nodeTable } from './plan/network-rules.ts';
import { realProber } from './probes/prober.ts';
import { connectDocker } from './runtime/docker/connect.ts';
import type { DockerRuntime } from './runtime/docker/docker-runtime.ts';
import { runtimeCases } from './runtime/runtime-cases.ts';
import {
  containerOf,
  isReady,
  podOf,
  putPod,
  startTestKubelet,
  statusOf,
  type TestKubelet,
  type TestKubeletOptions,
  until,
} from './testing/test-kubelet.ts';
import { unmountBelow } from './volumes/mounts.ts';

const endpoint = process.env['DOCKER_HOST'] ?? 'unix:///var/run/docker.sock';
const image = 'wherry-test/busybox:1';
const started: TestKubelet[] = [];
let runtime: DockerRuntime;

async function busyboxImage(): Promise<void> {
  const docker = new Docker();
  if ((await docker.listImages({ filters: { reference: [image] } })).length > 0) return;
  const archive = 'set -e; d=$(mktemp -d); cp "$(command -v busybox)" "$d/busybox"; tar -C "$d" -c busybox; rm -r "$d"';
  await runCommand('sh', ['-c', `(${archive}) | docker import --change 'ENTRYPOINT ["/busybox"]' - ${image}`]);
}

async function startReal(options: Partial<TestKubeletOptions> = {}): Promise<TestKubelet> {
  const test = await startTestKubelet({
    runtime,
    ...options,
    config: { drainMs: 300, ...options.config },
    adapters: { wiring: new KernelWiring(runCommand), prober: realProber(runtime, systemClock) },
  });
  started.push(test);
  return test;
}

/** Whatever a test left, it must not disturb the next. */
async function cleanUp(): Promise<void> {
  for (const test of started) await test.stop();
  for (const pod of await runtime.list()) {
    for (const { id } of [...pod.containers, ...pod.sandboxes]) await runtime.remove(id);
  }
  for (const test of started.splice(0)) {
    await unmountBelow(runCommand, test.rootDirectory);
    await test[Symbol.asyncDispose]();
  }
}

const shell = (script: string) => ({ args: ['sh', '-c', script] });
const httpd = shell('echo hello > /index.html; trap "exit 0" TERM; /busybox httpd -f -p 80 -h / & wait');

async function get(ip: string): Promise<string> {
  const response = await fetch(`http://${ip}/index.html`, { headers: { connection: 'close' } });
  return (await response.text()).trim();
}

async function logOf(name: string, test: TestKubelet, last: string, tries = 50): Promise<string> {
  const uid = podOf(test.api, name)?.metadata?.uid ?? '';
  const container = (await runtime.pod({ uid, name, namespace: 'default' })).containers[0];
  const options = { follow: false, timestamps: false, tailLines: undefined, sinceMs: undefined };
  const chunks: string[] = [];
  if (container !== undefined) {
    for await (const chunk of await runtime.logs(container.id, options, new AbortController().signal))
      chunks.push(String(chunk));
  }
  if (chunks.join('').includes(last) || tries === 0) return chunks.join('');
  await systemClock.sleep(50);
  return logOf(name, test, last, tries - 1);
}

beforeAll(async () => {
  await busyboxImage();
});

beforeEach(async () => {
  const owner = { cluster: 'kubelet-test', node: `n-${systemRandom.integer(1_000_000)}` };
  runtime = await connectDocker({
    endpoint,
    owner,
    nodeContainer: undefined,
    clock: systemClock,
    logger: silentLogger,
  });
});

afterEach(cleanUp);

describe('DockerRuntime', () => {
  it.each(runtimeCases)('$name', async ({ run }) => {
    const args = ['sh', '-c', 'trap "exit 0" TERM; while true; do sleep 0.05; done'];
    await run({ runtime, image, args, newUid: () => systemRandom.uuid(), sleep: (ms) => systemClock.sleep(ms) });
  });

  it('says why a command cannot be started', async () => {
    const test = await startReal();
    putPod(test.api, { name: 'bad', container: { command: ['/nope'] } });
    await until(
      'it fails to start',
      () => containerOf(test.api, 'bad')?.lastState?.terminated?.reason === 'StartError',
    );
    expect(containerOf(test.api, 'bad')?.lastState?.terminated).toMatchObject({ exitCode: 128 });
    expect(containerOf(test.api, 'bad')?.lastState?.terminated?.message).toContain('/nope');
    await end(test);
  });
});

/** Deletes all pods and checks that nothing of them is left on this machine. */
async function end(test: TestKubelet): Promise<void> {
  for (const pod of test.api.list('pods')) test.api.delete('pods', 'default', pod.metadata.name, 1);
  await until('all pods are gone', () => test.api.list('pods').length === 0, 15_000);
  // Its object goes as soon as nothing of a pod can run any more; the rest follows.
  const left = async () => [
    ...(await runtime.list()),
    ...((await runCommand('ip', ['-o', 'link'])).match(/\bwh[0-9a-f]{11}/g) ?? []),
  ];
  for (let tries = 0; tries < 100 && (await left()).length > 0; tries++) await systemClock.sleep(50);
  expect(await left()).toEqual([]);
}

describe('kubelet on Docker', () => {
  afterAll(async () => {
    await runCommand('nft', ['delete', 'table', 'ip', nodeTable]).catch(() => undefined);
  });

  it('gives a pod an address, a name, files and resources', async () => {
    const test = await startReal();
    const { api } = test;
    api.put('configmaps', { metadata: { name: 'cfg', namespace: 'default' }, data: { color: 'blue' } });
    api.put('secrets', {
      metadata: { name: 'top', namespace: 'default' },
      data: { pass: Buffer.from('s3cret').toString('base64') },
    });
    const report =
      'cat /c/color /s/pass /t/token /d/labels /etc/resolv.conf /etc/hosts; hostname; id -u; cat /e/x; stat -c %a /s/..data/pass; cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null; echo end; sleep 100';
    putPod(api, {
      name: 'all',
      labels: { app: 'x' },
      spec: {
        initContainers: [
          {
            name: 'i',
            image,
            imagePullPolicy: 'IfNotPresent',
            args: ['sh', '-c', 'echo made > /e/x'],
            volumeMounts: [{ name: 'e', mountPath: '/e' }],
          },
        ],
        volumes: [
          { name: 'c', configMap: { name: 'cfg' } },
          { name: 's', secret: { secretName: 'top', defaultMode: 0o400 } },
          { name: 't', projected: { sources: [{ serviceAccountToken: { path: 'token' } }] } },
          { name: 'd', downwardAPI: { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }] } },
          { name: 'e', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
        ],
      },
      container: {
        ...shell(report),
        resources: { limits: { memory: '32Mi', cpu: '500m' } },
        volumeMounts: ['c', 's', 't', 'd', 'e'].map((name) => ({ name, mountPath: `/${name}` })),
      },
    });
    await until('it runs', () => isReady(api, 'all'));
    const log = await logOf('all', test, '\nend\n');
    const ip = statusOf(api, 'all').podIP ?? '';
    for (const part of [
      'blue',
      's3cret',
      'token-default',
      'app="x"',
      'nameserver 10.96.0.10',
      `${ip}\tall`,
      '\nall\n',
      'made',
      '400',
      String(32 << 20),
    ]) {
      expect(log).toContain(part);
    }
    expect(log).not.toContain('127.0.0.11');
    expect(await runCommand('mount', [])).toMatch(/empty-dir\/e type tmpfs .*size=1024k/);
    await end(test);
  });

  it('serves, is ready by its probe, serves on while it ends, and lets nobody notice a restart of the kubelet', async () => {
    const test = await startReal();
    const { api } = test;
    const readinessProbe = { httpGet: { port: 80, path: '/index.html' }, periodSeconds: 1 };
    api.put('services', {
      metadata: { name: 'web', namespace: 'default' },
      spec: { selector: { app: 'web' }, clusterIP: '10.96.0.77', ports: [{ port: 80 }] },
    });
    putPod(api, {
      name: 'web',
      labels: { app: 'web' },
      spec: { terminationGracePeriodSeconds: 5 },
      container: { ...httpd, readinessProbe },
    });
    await until('it is ready', () => isReady(api, 'web'));
    const ip = statusOf(api, 'web').podIP ?? '';
    expect(await get(ip)).toBe('hello');
    const before = containerOf(api, 'web')?.containerID;
    await test.stop();
    const again = await startReal({ api, rootDirectory: test.rootDirectory });
    await systemClock.sleep(500);
    expect(containerOf(api, 'web')).toMatchObject({ containerID: before, ready: true, restartCount: 0 });
    expect(await get(ip)).toBe('hello');
    api.delete('pods', 'default', 'web');
    await systemClock.sleep(150);
    expect(await get(ip)).toBe('hello');
    await until('it is gone', () => podOf(api, 'web') === undefined);
    await end(again);
  });

  it('restarts what fails its liveness probe, with the words of its end', async () => {
    const test = await startReal();
    const { api } = test;
    const livenessProbe = {
      exec: { command: ['/busybox', 'test', '!', '-e', '/sick'] },
      periodSeconds: 1,
      failureThreshold: 1,
    };
    putPod(api, {
      name: 'frail',
      spec: { terminationGracePeriodSeconds: 1 },
      container: {
        ...shell(
          'echo bye > /dev/termination-log; trap "exit 9" TERM; sleep 1; touch /sick; while true; do sleep 0.1; done',
        ),
        livenessProbe,
      },
    });
    await until('it was restarted', () => containerOf(api, 'frail')?.restartCount === 1, 15_000);
    expect(containerOf(api, 'frail')?.lastState?.terminated).toMatchObject({
      exitCode: 9,
      message: 'bye\n',
      reason: 'Error',
    });
    const messages = api.list('events').map((event) => String(event['message']));
    expect(messages.some((message) => message.startsWith('Liveness probe failed:'))).toBe(true);
    expect(messages).toContain('Container c failed liveness probe, will be restarted');
    await end(test);
  });

  it('starts a container again while the API server is away, tokens, config maps and all', async () => {
    const test = await startReal();
    const { api } = test;
    api.put('configmaps', { metadata: { name: 'cfg', namespace: 'default' }, data: { color: 'blue' } });
    putPod(api, {
      name: 'lonely',
      spec: {
        volumes: [
          {
            name: 'v',
            projected: { sources: [{ serviceAccountToken: { path: 'token' } }, { configMap: { name: 'cfg' } }] },
          },
        ],
      },
      container: {
        ...httpd,
        env: [{ name: 'COLOR', valueFrom: { configMapKeyRef: { name: 'cfg', key: 'color' } } }],
        volumeMounts: [{ name: 'v', mountPath: '/v' }],
      },
    });
    await until('it runs', () => isReady(api, 'lonely'));
    await systemClock.sleep(5_100);
    api.away = true;
    const first = (await runtime.list())[0]?.containers[0]?.id ?? '';
    await runtime.stopContainer(first, 0);
    const running = async () => (await runtime.list())[0]?.containers.find(({ phase }) => phase === 'running');
    for (let tries = 0; tries < 100 && (await running()) === undefined; tries++) await systemClock.sleep(50);
    expect((await running())?.attempt).toBe(1);
    api.away = false;
    await until('the API knows', () => containerOf(api, 'lonely')?.restartCount === 1);
    await end(test);
  });

  it('kills the command of an exec that takes too long', async () => {
    const test = await startReal();
    putPod(test.api, { name: 'slow', container: shell('trap "exit 0" TERM; while true; do sleep 0.1; done') });
    await until('it runs', () => isReady(test.api, 'slow'));
    const id = (await runtime.list())[0]?.containers[0]?.id ?? '';
    await expect(runtime.exec(id, ['/busybox', 'sleep', '123'], 300)).rejects.toThrow('command timed out');
    await systemClock.sleep(100);
    const { output } = await runtime.exec(id, ['/busybox', 'ps'], 5_000);
    expect(output).not.toContain('sleep 123');
    await end(test);
  });

  it('makes a new sandbox when the old one dies', async () => {
    const test = await startReal();
    const { api } = test;
    putPod(api, { name: 'web', container: httpd });
    await until('it runs', () => isReady(api, 'web'));
    const first = (await runtime.list())[0]?.sandboxes[0]?.id ?? '';
    await runtime.stopSandbox(first);
    await until('it runs again', () => containerOf(api, 'web')?.restartCount === 1 && isReady(api, 'web'));
    const [sandbox, ...others] = (await runtime.list())[0]?.sandboxes ?? [];
    expect(sandbox?.attempt).toBe(1);
    expect(others).toEqual([]);
    // Running is not yet listening: this container has no readiness probe.
    await expect.poll(() => get(statusOf(api, 'web').podIP ?? '')).toBe('hello');
    await end(test);
  });

  it('shows a changed config map in a running pod', async () => {
    const test = await startReal();
    const { api } = test;
    api.put('configmaps', { metadata: { name: 'cfg', namespace: 'default' }, data: { color: 'blue' } });
    const pod = putPod(api, {
      name: 'reader',
      spec: { volumes: [{ name: 'c', configMap: { name: 'cfg' } }] },
      container: {
        ...shell('trap "exit 0" TERM; while true; do sleep 0.1; done'),
        volumeMounts: [{ name: 'c', mountPath: '/c' }],
      },
    });
    await until('it runs', () => isReady(api, 'reader'));
    api.put('configmaps', { metadata: { name: 'cfg', namespace: 'default' }, data: { color: 'red', shade: 'dark' } });
    // Answers are shared for five seconds; any look at the pod after that brings the volume up to date.
    await systemClock.sleep(5_100);
    const current = podOf(api, 'reader') ?? pod;
    api.put('pods', { ...current, metadata: { ...current.metadata, labels: { touched: 'yes' } } });
    const path = join(test.rootDirectory, 'pods', pod.metadata?.uid ?? '', 'volumes/kubernetes.io~configmap/c');
    for (let tries = 0; tries < 100 && (await readFile(join(path, 'color'), 'utf8')) === 'blue'; tries++)
      await systemClock.sleep(20);
    const container = (await runtime.list())[0]?.containers[0];
    const { output } = await runtime.exec(container?.id ?? '', ['/busybox', 'cat', '/c/color', '/c/shade'], 5_000);
    expect(output).toBe('reddark');
    await end(test);
  });

  it('kills what outlasts its grace period, and shortens it when asked', async () => {
    const test = await startReal();
    const { api } = test;
    putPod(api, {
      name: 'stubborn',
      spec: { terminationGracePeriodSeconds: 60 },
      container: shell('trap "" TERM; while true; do sleep 0.1; done'),
    });
    await until('it runs', () => isReady(api, 'stubborn'));
    api.delete('pods', 'default', 'stubborn');
    await systemClock.sleep(500);
    expect(podOf(api, 'stubborn')).toBeDefined();
    api.delete('pods', 'default', 'stubborn', 1);
    await until('it is gone', () => podOf(api, 'stubborn') === undefined, 5_000);
    await end(test);
  });

  it('runs hooks: postStart before it counts as started, preStop before it ends', async () => {
    const test = await startReal();
    const { api } = test;
    const directory = join(test.rootDirectory, 'hooks');
    await runCommand('mkdir', ['-p', directory]);
    await writeFile(join(directory, 'log'), '');
    const exec = (word: string) => ({ exec: { command: ['/busybox', 'sh', '-c', `echo ${word} >> /h/log`] } });
    putPod(api, {
      name: 'hooked',
      spec: { volumes: [{ name: 'h', hostPath: { path: directory, type: 'Directory' } }] },
      container: {
        ...shell('trap "echo term >> /h/log; exit 0" TERM; while true; do sleep 0.1; done'),
        lifecycle: { postStart: exec('started'), preStop: exec('stopping') },
        volumeMounts: [{ name: 'h', mountPath: '/h' }],
      },
    });
    await until('it runs', () => isReady(api, 'hooked'));
    api.delete('pods', 'default', 'hooked');
    await until('it is gone', () => podOf(api, 'hooked') === undefined);
    expect((await readFile(join(directory, 'log'), 'utf8')).split('\n')).toEqual(['started', 'stopping', 'term', '']);
    await end(test);
  });
});
