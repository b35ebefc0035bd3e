// Many hollow nodes in one process. What can be shared is: one connection pool, one watch on pods and one on nodes,
// one set of status writers, one event recorder. See DESIGN.md for what that costs.
import { type Node, resources, type Taint } from '@wherry/api';
import { ApiClient, EventRecorder, InformerFactory, type Transport } from '@wherry/client';
import { type Clock, Health, type Logger, type Metrics, type Random, type Scope } from '@wherry/daemon';
import type { KubeletConfig } from '../kubelet-config.ts';
import { systemInfo as readSystemInfo } from '../node/host-facts.ts';
import { hollowAddress } from '../plan/hollow-address.ts';
import type { HollowDefaults } from '../plan/hollow-behaviour.ts';
import { RunningCounts } from '../pods/running-counts.ts';
import { StatusManager } from '../pods/status-manager.ts';
import { Gate } from '../runtime/gate.ts';
import type { ServedNode } from '../server/kubelet-server.ts';
import { actAsNode } from './act-as-node.ts';
import { boundedTransport } from './bounded-transport.ts';
import { dampedLogger } from './damped-logger.ts';
import { type HollowKubelet, startHollowKubelet } from './hollow-kubelet.ts';
import { type EventBudget, LimitedEvents } from './limited-events.ts';
import { podProjection } from './pod-projection.ts';
import { PodsByNode, podIndexers } from './pods-by-node.ts';

export interface HollowNodesConfig {
  readonly count: number;
  readonly prefix: string;
  /** CIDR of their addresses. */
  readonly network: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly Taint[];
  readonly podsMax: number;
  /** Quantities. */
  readonly cpu: string;
  readonly memory: string;
  readonly port: number;
  readonly leaseSeconds: number;
  readonly defaults: HollowDefaults;
  readonly statusWriters: number;
  readonly events: EventBudget;
}

export interface HollowNodesAdapters {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly scope: Scope;
}

export interface HollowNodes {
  readonly health: Health;
  readonly servedAt: (address: string) => ServedNode | undefined;
}

/** Node objects written at once: the API server has others to serve. */
const nodeWritesMax = 16;
/** For leases, events, informers: beside the others, so that no lease waits behind a thousand statuses. */
const othersMax = 16;
const runtimeVersion = 'hollow://1';

/** Starts everything and returns at once: the API server may come later. */
export function startHollowNodes(config: HollowNodesConfig, adapters: HollowNodesAdapters): HollowNodes {
  const { clock, random, metrics } = adapters;
  const logger = dampedLogger(adapters.logger, clock);
  const requestsMax = config.statusWriters + nodeWritesMax + othersMax;
  const transport = boundedTransport(adapters.transport, requestsMax);
  const scope = adapters.scope.child('hollow-nodes', (work, error) =>
    logger.error({ err: error, work }, 'background work failed'),
  );
  const names = Array.from({ length: config.count }, (_, index) => `${config.prefix}-${index + 1}`);
  const clients = new Map(names.map((name) => [name, actAsNode(transport, name)]));
  const own = new ApiClient(transport);
  const clientOf = (name: string): ApiClient => clients.get(name) ?? own;
  const isOurs = (name: string): boolean => clients.has(name);
  const factory = new InformerFactory({ client: own, clock, random, logger, scope });
  const pods = factory.informer(resources.pods, {
    fieldSelector: 'spec.nodeName!=',
    indexers: podIndexers,
    project: podProjection(isOurs),
  });
  const nodes = factory.informer(resources.nodes, { project: nodeProjection(isOurs) });
  const recorder = new EventRecorder({ client: own, clock, logger, scope, component: 'kubelet' });
  const writers = config.statusWriters;
  const status = new StatusManager({ client: clientOf, pods, clock, logger, scope, writers });
  status.start();
  const systemInfo = once(() => readSystemInfo(runtimeVersion));
  const podsByNode = new PodsByNode(pods);
  const common = {
    nodes,
    nodeWrites: new Gate(nodeWritesMax),
    defaults: config.defaults,
    systemInfo,
    clock,
    random,
    logger,
    metrics,
  };
  const shared = { services: () => [], status, counts: new RunningCounts(metrics) };
  const events = new LimitedEvents(config.events, clock, metrics);
  const kubelets = new Map<string, HollowKubelet>();
  const byAddress = new Map<string, HollowKubelet>();
  scope.run('start nodes', async (signal) => {
    // Which nodes exist already is read once, instead of asked a thousand times.
    await nodes.synced(signal);
    for (const [index, name] of names.entries()) {
      const ip = hollowAddress(config.network, index);
      const sink = events.limit((regarding, type, reason, message) =>
        recorder.event(regarding, type, reason, message, name),
      );
      const kubelet = await startHollowKubelet({
        ...common,
        config: kubeletConfig(config, name, ip),
        client: clientOf(name),
        surroundings: { ...shared, pods: podsByNode.of(name), events: { event: sink } },
        scope: scope.child(name),
      });
      kubelets.set(name, kubelet);
      byAddress.set(ip, kubelet);
    }
    nodes.onChange(({ kind, key, object }) => {
      if (kind !== 'deleted') kubelets.get(key)?.nodeChanged(object);
    });
  });
  return { health: healthOf(config.count, kubelets), servedAt: (address) => byAddress.get(address)?.served };
}

/** Well once all nodes have been Ready; what becomes of single ones later, the API shows. */
function healthOf(count: number, kubelets: ReadonlyMap<string, HollowKubelet>): Health {
  const health = new Health();
  let allWere = false;
  health.addReady('hollow-nodes', () => {
    if (allWere) return undefined;
    const ready = [...kubelets.values()].filter((kubelet) => kubelet.isReady()).length;
    allWere = ready === count;
    return allWere ? undefined : `${ready} of ${count} nodes are Ready`;
  });
  return health;
}

function once<T>(read: () => Promise<T>): () => Promise<T> {
  let answer: Promise<T> | undefined;
  return () => {
    answer ??= read();
    return answer;
  };
}

/** Of other nodes nothing matters. */
function nodeProjection(isOurs: (name: string) => boolean): (node: Node) => Node {
  return (node) => {
    const { name = '', uid = '', resourceVersion = '' } = node.metadata ?? {};
    return isOurs(name) ? node : { metadata: { name, uid, resourceVersion } };
  };
}

function kubeletConfig(config: HollowNodesConfig, nodeName: string, nodeIp: string): KubeletConfig {
  return {
    nodeName,
    nodeIp,
    labels: config.labels,
    taints: config.taints,
    register: true,
    rootDirectory: '',
    resolvConf: '',
    clusterDns: [],
    clusterDomain: 'cluster.local',
    clusterCidr: undefined,
    podCidr: undefined,
    podsMax: config.podsMax,
    cpu: config.cpu,
    memory: config.memory,
    capacityDivisor: 1,
    port: config.port,
    statusCheckMs: 0,
    leaseSeconds: config.leaseSeconds,
    drainMs: 0,
  };
}
