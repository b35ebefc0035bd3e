import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../harness/eventually.ts';
import { officialKubectl } from '../harness/official-kubectl.ts';
import { answeringPod, deployEcho, echoPods, fetchText } from './echo-app.ts';
import { cluster } from './shared-cluster.ts';

const namespace = 'streams';

/** How kubectl carries streams: what it takes by itself, and what older clients know. */
const ways = [
  ['a WebSocket', {}],
  ['SPDY', { KUBECTL_PORT_FORWARD_WEBSOCKETS: 'false', KUBECTL_REMOTE_COMMAND_WEBSOCKETS: 'false' }],
] as const;

interface Forward extends AsyncDisposable {
  readonly url: string;
  /** What kubectl said on standard error. */
  readonly complaints: () => string;
}

async function portForward(pod: string, port: number, environment: Record<string, string>): Promise<Forward> {
  const args = ['port-forward', '-n', namespace, pod, `:${port}`];
  const child: ChildProcess = spawn(await officialKubectl(), args, {
    env: { ...process.env, KUBECONFIG: cluster.kubeconfig, HOME: cluster.home, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let complaints = '';
  child.stderr?.on('data', (text: Buffer) => {
    complaints += text.toString();
  });
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.kill()) await once(child, 'exit');
  };
  if (child.stdout === null) throw new Error('no pipe');
  for await (const line of createInterface(child.stdout)) {
    const local = /^Forwarding from 127\.0\.0\.1:(\d+)/.exec(line)?.[1];
    if (local === undefined) continue;
    child.stdout.resume();
    return { url: `http://127.0.0.1:${local}/`, complaints: () => complaints, [Symbol.asyncDispose]: stop };
  }
  await stop();
  throw new Error(`kubectl forwards nothing: ${complaints}`);
}

describe.each(ways)('streams of the official kubectl over %s', (_way, environment) => {
  let pod: string;

  beforeAll(async () => {
    await deployEcho(cluster, { namespace, replicas: 1 });
    pod = (await echoPods(cluster, namespace))[0]?.metadata?.name ?? '';
  });
  afterAll(() => cluster.kubectlOk(['delete', 'namespace', namespace]));

  it('forwards a port, for many connections at once', async () => {
    await using forward = await portForward(pod, 8080, environment);
    const answers = await Promise.all(Array.from({ length: 20 }, () => fetchText(forward.url)));
    expect(new Set(answers.map(answeringPod))).toEqual(new Set([pod]));
    expect(forward.complaints()).toBe('');
  });

  it('says when nobody listens on the port', async () => {
    await using forward = await portForward(pod, 9, environment);
    await expect(fetchText(forward.url)).rejects.toThrow();
    await eventually('kubectl tells why', () => expect(forward.complaints()).toContain('ECONNREFUSED'));
  });

  it('runs commands: input, both outputs to their last byte, exit code', async () => {
    const program = `
      process.stdin.on('data', (text) => process.stdout.write(text));
      process.stdin.on('end', () => {
        process.stdout.write('x'.repeat(3_000_000));
        process.stderr.write('all is said\\n');
        process.exitCode = 7;
      });`;
    const args = ['exec', '-i', '-n', namespace, pod, '--', 'node', '-e', program];
    const { code, stdout, stderr } = await cluster.kubectl(args, { input: 'hello', environment });
    expect(code).toBe(7);
    expect(stdout.slice(0, 5)).toBe('hello');
    expect(stdout).toHaveLength(3_000_005);
    expect(stderr).toContain('all is said');
    expect(stderr).toContain('command terminated with exit code 7');
  });
});
