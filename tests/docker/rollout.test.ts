import { Agent, request } from 'node:http';
import type { Deployment, NodeList, Service } from '@wherry/api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, holds } from '../harness/eventually.ts';
import { deployEcho, echoPods, fetchText, isReady } from './echo-app.ts';
import { cluster } from './shared-cluster.ts';

const namespace = 'rollout';

/** Requests without pause on fresh and on kept connections, no retries. */
class Load {
  readonly failures: string[] = [];
  requests = 0;
  readonly versions = new Set<string>();
  #running = true;
  readonly #agents: readonly Agent[];
  readonly #loops: Promise<void>[];

  constructor(url: string, clients: number) {
    this.#agents = [
      new Agent({ keepAlive: false }),
      new Agent({ keepAlive: true, maxSockets: clients, timeout: 30_000 }),
    ];
    this.#loops = this.#agents.flatMap((agent) => Array.from({ length: clients }, () => this.#loop(url, agent)));
  }

  async stop(): Promise<void> {
    this.#running = false;
    await Promise.all(this.#loops);
    for (const agent of this.#agents) agent.destroy();
  }

  async #loop(url: string, agent: Agent): Promise<void> {
    while (this.#running) {
      try {
        const text = await once(url, agent);
        this.versions.add(/version (\S+)/.exec(text)?.[1] ?? '');
      } catch (error) {
        this.failures.push(`${new Date().toISOString()} ${error instanceof Error ? error.message : String(error)}`);
      }
      this.requests++;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}

function once(url: string, agent: Agent): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { agent, timeout: 5_000 }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () =>
        response.statusCode === 200 ? resolve(text) : reject(new Error(`status ${response.statusCode}`)),
      );
      response.on('error', reject);
    });
    sent.on('timeout', () => sent.destroy(new Error('no answer in 5 s')));
    sent.on('error', reject);
    sent.end();
  });
}

describe('scaling and rolling updates', () => {
  let url: string;
  beforeAll(async () => {
    await deployEcho(cluster, { namespace, replicas: 3 });
    const service = await cluster.get<Service>(['service', 'echo', '-n', namespace]);
    const nodes = await cluster.get<NodeList>(['nodes']);
    const address = nodes.items[0]?.status?.addresses?.find(({ type }) => type === 'InternalIP')?.address;
    url = `http://${address}:${service.spec?.ports?.[0]?.nodePort}/`;
  });
  afterAll(() => cluster.kubectlOk(['delete', 'namespace', namespace]));

  const scaleTo = async (replicas: number) => {
    await cluster.kubectlOk(['scale', 'deployment/echo', `--replicas=${replicas}`, '-n', namespace]);
    await eventually(`${replicas} ready pods`, async () => {
      const pods = await echoPods(cluster, namespace);
      expect(pods).toHaveLength(replicas);
      expect(pods.filter(isReady)).toHaveLength(replicas);
    });
  };

  it('scales 3 → 5 → 2 without a failed request', async () => {
    const load = new Load(url, 4);
    await scaleTo(5);
    await scaleTo(2);
    await load.stop();
    expect(load.failures).toEqual([]);
    expect(load.requests).toBeGreaterThan(100);
  });

  it('updates without a failed request, then rolls back', async () => {
    await scaleTo(3);
    const load = new Load(url, 4);
    await cluster.kubectlOk(['set', 'image', 'deployment/echo', 'echo=wherry/echo:2', '-n', namespace]);
    await cluster.kubectlOk(['rollout', 'status', 'deployment/echo', '-n', namespace, '--timeout=120s']);
    await eventually('the new version answers', async () => expect(await fetchText(url)).toContain('version 2'));
    await holds(async () => expect(await fetchText(url)).toContain('version 2'), 2_000);
    await cluster.kubectlOk(['rollout', 'undo', 'deployment/echo', '-n', namespace]);
    await cluster.kubectlOk(['rollout', 'status', 'deployment/echo', '-n', namespace, '--timeout=120s']);
    await holds(async () => expect(await fetchText(url)).toContain('version 1'), 2_000);
    await load.stop();
    expect(load.failures).toEqual([]);
    expect(load.versions).toEqual(new Set(['1', '2']));
    const history = await cluster.kubectlOk(['rollout', 'history', 'deployment/echo', '-n', namespace]);
    expect(history.match(/^\d+ /gm)).toEqual(['2 ', '3 ']);
  });

  it('stalls on a bad image while the old pods serve on, and comes back by undo', async () => {
    await cluster.kubectlOk(['set', 'image', 'deployment/echo', 'echo=wherry/does-not-exist:1', '-n', namespace]);
    await eventually('the new pod cannot pull', async () => {
      expect(await cluster.kubectlOk(['get', 'pods', '-n', namespace])).toMatch(/ErrImagePull|ImagePullBackOff/);
    });
    await holds(async () => {
      expect(await fetchText(url)).toContain('version 1');
      const { status } = await cluster.get<Deployment>(['deployment', 'echo', '-n', namespace]);
      expect(status?.availableReplicas).toBe(3);
    }, 5_000);
    await cluster.kubectlOk(['rollout', 'undo', 'deployment/echo', '-n', namespace]);
    await cluster.kubectlOk(['rollout', 'status', 'deployment/echo', '-n', namespace, '--timeout=60s']);
    await eventually('the stalled pod is gone', async () => expect(await echoPods(cluster, namespace)).toHaveLength(3));
  });
});
