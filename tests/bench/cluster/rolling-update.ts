import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { resources, type Service } from '@wherry/api';
import type { ApiClient } from '@wherry/client';
import { repository } from '../../harness/repository.ts';
import { succeed } from '../../harness/run.ts';
import { inTurns, type Row } from './figures.ts';
import { failed, LoadProcess } from './load-process.ts';
import { benchCluster, withCluster } from './session.ts';
import type { Swarm } from './swarm.ts';
import { deployment } from './workload.ts';

const REPEATS = 10;
const REPLICAS = 10;
const PER_SECOND = 2_000;
const PORT = 8080;
const NODE_PORT = 30_088;
/** Before and after an update, so that requests meet its beginning and its end. */
const MARGIN_MS = 1_000;
const NAME = 'echo';
const HELPER = 'beside';

/** Row 22: every replica is replaced while requests go on. The sample takes its time to leave, on both sides. */
export async function rollingUpdate(swarm: Swarm): Promise<readonly Row[]> {
  await loadEcho(swarm);
  await swarm.init();
  try {
    const beside = await startSwarmSide(swarm);
    return await withCluster(
      benchCluster('rolling', { nodes: 2, flags: ['--runtime', 'docker'] }),
      async ({ client }) => {
        const address = await startOurSide(client);
        let version = 0;
        const ours = (): Promise<number> =>
          underLoad(
            () => LoadProcess.start(address, NODE_PORT, PER_SECOND),
            () => updateOurs(client, ++version),
          );
        const theirs = (): Promise<number> =>
          underLoad(
            () => LoadProcess.start(`tasks.${NAME}`, PORT, PER_SECOND, beside),
            () => updateTheirs(swarm, version),
          );
        const series = await inTurns(REPEATS, `requests failed of ${PER_SECOND}/s`, ours, theirs);
        const peer = { name: 'Swarm', series: series.theirs };
        const what = `rolling update of ${REPLICAS} at ${PER_SECOND} requests/s, requests failed`;
        return [{ number: '22', what, unit: '', ours: series.ours, peer, goal: '0' }];
      },
    );
  } finally {
    await swarm.leave();
  }
}

async function underLoad(start: () => Promise<LoadProcess>, update: () => Promise<void>): Promise<number> {
  const load = await start();
  try {
    await sleep(MARGIN_MS);
    const startMs = performance.now();
    await update();
    const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
    await sleep(MARGIN_MS);
    const result = await load.stop();
    process.stderr.write(`    ${seconds} s, ${result.sent} requests ${JSON.stringify(result.failures)}\n`);
    return failed(result);
  } finally {
    load.kill();
  }
}

async function startOurSide(client: ApiClient): Promise<string> {
  const base = deployment({ name: NAME, image: 'wherry/echo:1', replicas: REPLICAS });
  const containers = base.spec?.template?.spec?.containers.map((container) => ({
    ...container,
    readinessProbe: { httpGet: { path: '/healthz', port: PORT }, periodSeconds: 1 },
  }));
  const template = { ...base.spec?.template, spec: { ...base.spec?.template?.spec, containers: containers ?? [] } };
  await client.create(resources.deployments, {
    ...base,
    spec: { ...base.spec, selector: base.spec?.selector ?? {}, template },
  });
  const service: Service = {
    metadata: { name: NAME, namespace: 'default' },
    spec: { type: 'NodePort', selector: { app: NAME }, ports: [{ port: 80, targetPort: PORT, nodePort: NODE_PORT }] },
  };
  await client.create(resources.services, service);
  await rolledOut(client);
  const { items } = await client.list(resources.nodes);
  const address = items[0]?.status?.addresses?.find(({ type }) => type === 'InternalIP')?.address;
  if (address === undefined) throw new Error('The node has no address');
  return address;
}

async function updateOurs(client: ApiClient, version: number): Promise<void> {
  const template = { spec: { containers: [{ name: 'main', image: `wherry/echo:${1 + (version % 2)}` }] } };
  const options = { namespace: 'default', type: 'strategic' } as const;
  await client.patch(resources.deployments, NAME, { spec: { template } }, options);
  await rolledOut(client);
}

async function rolledOut(client: ApiClient): Promise<void> {
  for (;;) {
    const { metadata, status } = await client.get(resources.deployments, NAME, { namespace: 'default' });
    const { replicas, updatedReplicas, availableReplicas, observedGeneration } = status ?? {};
    const isSeen = observedGeneration === metadata?.generation;
    if (isSeen && [replicas, updatedReplicas, availableReplicas].every((count) => count === REPLICAS)) return;
    await sleep(100);
  }
}

async function loadEcho(swarm: Swarm): Promise<void> {
  const environment = { DOCKER_HOST: `unix://${swarm.socket}` };
  await succeed('sh', [join(repository, 'wherry'), 'image', 'samples'], { environment });
}

/**
 * Services with addresses of their own need the kernel's IPVS, which not every machine has, so Swarm's are found by name:
 * its DNS gives the addresses of the tasks that run. The health check tells it when a task serves.
 * @returns what puts a program into the service's network
 */
async function startSwarmSide(swarm: Swarm): Promise<readonly string[]> {
  const network = await swarm.docker.createNetwork({ Name: 'bench', Driver: 'overlay', Attachable: true });
  await swarm.docker.createService({ ...swarmSpec(network.id, 0), Name: NAME });
  const command = ['/bin/busybox', 'sleep', '86400'];
  const helper = await swarm.docker.createContainer({
    name: HELPER,
    Image: 'wherry/echo:1',
    Entrypoint: command,
    HostConfig: { NetworkMode: 'bench' },
  });
  await helper.start();
  await swarmSettled(swarm);
  const { State } = await helper.inspect();
  return ['nsenter', `--net=/proc/${State.Pid}/ns/net`, '--'];
}

function swarmSpec(network: string, version: number) {
  const check = `/bin/busybox wget -q -O /dev/null http://127.0.0.1:${PORT}/healthz`;
  const second = 1_000_000_000;
  return {
    TaskTemplate: {
      ContainerSpec: {
        Image: `wherry/echo:${1 + (version % 2)}`,
        Healthcheck: { Test: ['CMD-SHELL', check], Interval: second, Timeout: 5 * second, Retries: 3 },
        StopGracePeriod: 30 * second,
      },
      Networks: [{ Target: network }],
    },
    Mode: { Replicated: { Replicas: REPLICAS } },
    // A quarter at once and the new ones first, as a Deployment does it.
    UpdateConfig: { Parallelism: 3, Order: 'start-first' as const, Delay: 0, Monitor: second },
    EndpointSpec: { Mode: 'dnsrr' as const },
  };
}

async function updateTheirs(swarm: Swarm, version: number): Promise<void> {
  const service = swarm.docker.getService(NAME);
  const { Version, Spec } = await service.inspect();
  const network: string = Spec.TaskTemplate.Networks[0].Target;
  await service.update({ ...swarmSpec(network, version), Name: NAME, version: Number(Version.Index) });
  await swarmSettled(swarm);
}

/** Ten tasks run and none that is to end still does. */
async function swarmSettled(swarm: Swarm): Promise<void> {
  for (;;) {
    await sleep(200);
    const { UpdateStatus } = await swarm.docker.getService(NAME).inspect();
    const tasks: readonly { readonly Status: { readonly State: string } }[] = await swarm.docker.listTasks({
      filters: { service: [NAME], 'desired-state': ['running'] },
    });
    const running = tasks.filter(({ Status }) => Status.State === 'running').length;
    const state: string = UpdateStatus?.State ?? 'completed';
    if (state === 'paused') throw new Error(`Swarm has paused the update: ${UpdateStatus.Message}`);
    if (running === REPLICAS && tasks.length === REPLICAS && state === 'completed') return;
  }
}
