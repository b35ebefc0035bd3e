// One hollow node: pods, status and lease are a real kubelet's; only what would touch a machine is simulated.
import { isConditionTrue, milliValue, type Node, type NodeSystemInfo, quantityToNumber } from '@wherry/api';
import type { ApiClient, Informer } from '@wherry/client';
import { type Clock, jitter, type Logger, type Metrics, type Random, type Scope } from '@wherry/daemon';
import { assemble, type Surroundings } from '../assemble.ts';
import type { KubeletAdapters, KubeletConfig } from '../kubelet-config.ts';
import { goArchitecture } from '../node/host-facts.ts';
import { NodeAgent } from '../node/node-agent.ts';
import { keepNodeLease } from '../node/node-lease.ts';
import type { HollowDefaults } from '../plan/hollow-behaviour.ts';
import type { NodeFacts } from '../plan/node-conditions.ts';
import type { NodeDescription } from '../plan/node-object.ts';
import type { Gate } from '../runtime/gate.ts';
import { hollowProber, hollowWiring } from '../runtime/hollow/hollow-node.ts';
import { HollowRuntime } from '../runtime/hollow/hollow-runtime.ts';
import type { ServedNode } from '../server/kubelet-server.ts';

export interface HollowKubeletOptions {
  readonly config: KubeletConfig;
  readonly defaults: HollowDefaults;
  /** Acts as this node. */
  readonly client: ApiClient;
  /** Of all nodes. */
  readonly nodes: Informer<Node>;
  readonly surroundings: Surroundings;
  /** Writes of Node objects at once, of all nodes. */
  readonly nodeWrites: Gate;
  readonly systemInfo: () => Promise<NodeSystemInfo>;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly scope: Scope;
}

export interface HollowKubelet {
  readonly served: ServedNode;
  /** This process has told the API that the node is Ready. */
  isReady(): boolean;
  /** Its Node object as the API shows it now; undefined if it has none. */
  nodeChanged(node: Node | undefined): void;
}

const reportMs = 300_000;
/** A thousand nodes that ask every second whether the API server is back would keep it from coming back. */
const retryMs = 5_000;
/** Reports of nodes that began together drift apart. */
const reportShareMin = 0.8;

/** A machine that lacks nothing. */
const facts: Omit<NodeFacts, 'problems'> = {
  memoryAvailableBytes: 2 ** 40,
  diskAvailableBytes: 2 ** 40,
  diskCapacityBytes: 2 ** 40,
  inodesFree: 1,
  inodes: 1,
  processes: 1,
  processesMax: 2 ** 22,
};

export async function startHollowKubelet(options: HollowKubeletOptions): Promise<HollowKubelet> {
  const { config, client, nodes, surroundings, clock, random, logger, scope } = options;
  const { nodeName } = config;
  const ownReportMs = jitter(random, reportMs * reportShareMin, 1 / reportShareMin - 1);
  const description = describe(config);
  const runtime = new HollowRuntime({ clock, random, defaults: options.defaults });
  const { workers, cache, network } = await assemble(
    config,
    adaptersOf(options, runtime),
    description,
    surroundings,
    scope,
  );
  const agent = new NodeAgent({
    client,
    nodes,
    runtime,
    clock,
    logger,
    events: nobody,
    description,
    register: true,
    // Nothing happens on this node but what it is told of at once.
    checkMs: ownReportMs + 1_000,
    reportMs: ownReportMs,
    writes: options.nodeWrites,
    systemInfo: options.systemInfo,
    facts: () => Promise.resolve({ ...facts, problems: [network.problem].filter((problem) => problem !== undefined) }),
  });
  await network.start();
  scope.run('node status', (signal) => agent.run(signal));
  const periodMs = config.leaseSeconds * 250;
  const lease = { nodeName, durationSeconds: config.leaseSeconds, node: () => agent.node };
  scope.run('node lease', async (signal) => {
    await agent.registered;
    await keepNodeLease({ client, clock, logger, ...lease, firstWaitMs: random.next() * periodMs, retryMs }, signal);
  });
  cache.start();
  scope.run('pods', (signal) => workers.start(signal));
  const nodeChanged = (node: Node | undefined) => {
    const cidr = config.podCidr ?? node?.spec?.podCIDR;
    const hadNetwork = network.problem === undefined;
    scope.run('node network', async () => {
      if (cidr !== undefined && cidr !== '') await network.setPodCidr(cidr);
      const hasNetwork = network.problem === undefined;
      if (hasNetwork && !hadNetwork) workers.wakeAll();
      // Not what we say of it: it has just got its network, or somebody took it for dead.
      if (node !== undefined && hasNetwork !== isConditionTrue(node.status?.conditions, 'Ready')) agent.checkNow();
    });
  };
  nodeChanged(nodes.get(nodeName));
  const directory = {
    find: workers.find.bind(workers),
    list: () => workers.list(),
    runtimePod: (uid: string) => cache.get(uid),
  };
  const isReady = () => agent.hasReported && isConditionTrue(nodes.get(nodeName)?.status?.conditions, 'Ready');
  return { served: { nodeName, directory, runtime, isHollow: true }, isReady, nodeChanged };
}

/** Of a node's own life; its controller tells what matters. */
const nobody = { event: () => undefined };

function describe(config: KubeletConfig): NodeDescription {
  const { nodeName, nodeIp, labels, taints, podsMax, port, cpu = '1', memory = '1Gi' } = config;
  const memoryBytes = quantityToNumber(memory);
  return {
    name: nodeName,
    ip: nodeIp,
    architecture: goArchitecture(),
    labels,
    taints,
    cpuMillis: Number(milliValue(cpu)),
    memoryBytes,
    ephemeralStorageBytes: memoryBytes,
    podsMax,
    kubeletPort: port,
  };
}

function adaptersOf(options: HollowKubeletOptions, runtime: HollowRuntime): KubeletAdapters {
  const { client, clock, random, logger, metrics, scope } = options;
  const run = () => Promise.reject(new Error('a hollow node runs no programs'));
  const hollow = { runtime, wiring: hollowWiring, prober: hollowProber(runtime), isHollow: true };
  return { client, ...hollow, run, clock, random, logger, metrics, scope };
}
