// Puts a kubelet together from its adapters and starts it. The order matters: files and containers of pods are only
// touched once the API has said which pods there are.
import { mkdir } from 'node:fs/promises';
import { type Pod, resources } from '@wherry/api';
import { EventRecorder, InformerFactory } from '@wherry/client';
import { Health } from '@wherry/daemon';
import { assemble } from './assemble.ts';
import { describeNode, type KubeletAdapters, type KubeletConfig } from './kubelet-config.ts';
import { followNodes } from './node/follow-nodes.ts';
import { measure, systemInfo } from './node/host-facts.ts';
import { NodeAgent } from './node/node-agent.ts';
import { keepNodeLease } from './node/node-lease.ts';
import { RunningCounts } from './pods/running-counts.ts';
import type { RuntimeCache } from './pods/runtime-cache.ts';
import { StatusManager } from './pods/status-manager.ts';
import type { PodDirectory } from './server/pod-lookup.ts';

export interface Kubelet {
  readonly directory: PodDirectory;
  readonly health: Health;
}

/** Starts everything and returns at once: the API server may come later. */
export async function startKubelet(config: KubeletConfig, adapters: KubeletAdapters): Promise<Kubelet> {
  const { client, runtime, clock, random, logger } = adapters;
  // Whatever goes wrong with one pod, one probe or one event must not end the kubelet and with it all others.
  const scope = adapters.scope.child('kubelet', (work, error) =>
    logger.error({ err: error, work }, 'background work failed'),
  );
  await mkdir(config.rootDirectory, { recursive: true });
  const description = await describeNode(config);
  const factory = new InformerFactory({ client, clock, random, logger, scope });
  const informers = {
    pods: factory.informer(resources.pods, { fieldSelector: `spec.nodeName=${config.nodeName}` }),
    nodes: factory.informer(resources.nodes),
    services: factory.informer(resources.services),
  };
  const events = new EventRecorder({ client, clock, logger, scope, component: 'kubelet', host: config.nodeName });
  const status = new StatusManager({ client: () => client, pods: informers.pods, clock, logger, scope });
  const surroundings = {
    pods: informers.pods,
    services: () => informers.services.list(),
    events,
    status,
    counts: new RunningCounts(adapters.metrics),
  };
  const { workers, cache, network } = await assemble(config, adapters, description, surroundings, scope);
  const agent = new NodeAgent({
    client,
    nodes: informers.nodes,
    runtime,
    clock,
    logger,
    events,
    description,
    register: config.register,
    checkMs: config.statusCheckMs,
    systemInfo: async () => systemInfo(await runtime.version()),
    facts: async () => ({
      ...(await measure(config.rootDirectory)),
      problems: [network.problem, cache.problem].filter((problem) => problem !== undefined),
    }),
  });
  await network.start();
  const podCidr = () => config.podCidr ?? agent.node?.spec?.podCIDR;
  const onReady = () => {
    agent.checkNow();
    workers.wakeAll();
  };
  followNodes({ nodeName: config.nodeName, network, nodes: informers.nodes, podCidr, onReady, clock, logger, scope });
  const lease = { nodeName: config.nodeName, durationSeconds: config.leaseSeconds, node: () => agent.node };
  scope.run('node status', (signal) => agent.run(signal));
  scope.run('node lease', async (signal) => {
    await agent.registered;
    await keepNodeLease({ client, clock, logger, ...lease }, signal);
  });
  status.start();
  cache.start();
  scope.run('pods', async (signal) => {
    // Their variables need the services.
    await informers.services.synced(signal);
    await workers.start(signal);
  });
  return {
    health: healthOf(cache),
    directory: {
      find: (namespace, name) => workers.find(namespace, name),
      list: () => workers.list().map((pod) => withStatus(pod, status)),
      runtimePod: (uid) => cache.get(uid),
    },
  };
}

function withStatus(pod: Pod, status: StatusManager): Pod {
  const reported = status.get(pod.metadata?.uid ?? '');
  return reported === undefined ? pod : { ...pod, status: { ...pod.status, ...reported } };
}

function healthOf(cache: RuntimeCache): Health {
  const health = new Health();
  health.addLive('runtime', () => cache.problem);
  return health;
}
