// Puts a kubelet together from its adapters and starts it. The order matters: files and containers of pods are only
// touched once the API has said which pods there are.
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { milliValue, type Pod, quantityToNumber, resources } from '@wherry/api';
import { type ApiClient, EventRecorder, InformerFactory } from '@wherry/client';
import { type Clock, Health, type Logger, type Metrics, pause, type Random, type Scope } from '@wherry/daemon';
import type { RunCommand } from './host/commands.ts';
import { ImagePuller } from './images/image-puller.ts';
import { PodNetwork } from './network/pod-network.ts';
import type { Wiring } from './network/wiring.ts';
import { goArchitecture, hostCapacity, measure } from './node/host-facts.ts';
import { NodeAgent } from './node/node-agent.ts';
import { keepNodeLease } from './node/node-lease.ts';
import { parseResolvConf } from './plan/name-resolution.ts';
import type { NodeDescription } from './plan/node-object.ts';
import type { NodeAllocatable } from './plan/resource-ref.ts';
import type { PodEnvironment } from './pods/pod-environment.ts';
import { podEvents } from './pods/pod-events.ts';
import { PodWorkers } from './pods/pod-workers.ts';
import { apiReferences } from './pods/references.ts';
import { RuntimeCache } from './pods/runtime-cache.ts';
import { StatusManager } from './pods/status-manager.ts';
import { ProbeManager } from './probes/probe-manager.ts';
import type { RunProbe } from './probes/prober.ts';
import type { Runtime } from './runtime/port.ts';
import type { PodDirectory } from './server/pod-lookup.ts';
import { DiskVolumes, type PodVolumes } from './volumes/pod-volumes.ts';
import { ServiceAccountTokens } from './volumes/service-account-tokens.ts';

export interface KubeletConfig {
  readonly nodeName: string;
  readonly nodeIp: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly register: boolean;
  readonly rootDirectory: string;
  readonly resolvConf: string;
  readonly clusterDns: readonly string[];
  readonly clusterDomain: string;
  readonly clusterCidr: string | undefined;
  readonly podCidr: string | undefined;
  readonly podsMax: number;
  readonly cpu: string | undefined;
  readonly memory: string | undefined;
  readonly capacityDivisor: number;
  readonly port: number;
  readonly statusCheckMs: number;
  readonly leaseSeconds: number;
  readonly drainMs: number;
}

export interface KubeletAdapters {
  readonly client: ApiClient;
  readonly runtime: Runtime;
  readonly wiring: Wiring;
  readonly prober: RunProbe;
  readonly run: RunCommand;
  /** undefined for nodes whose containers read no files. */
  readonly volumes: 'disk' | PodVolumes;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly scope: Scope;
}

export interface Kubelet {
  readonly directory: PodDirectory;
  readonly health: Health;
}

async function describeNode(config: KubeletConfig): Promise<NodeDescription> {
  const host = await hostCapacity(config.rootDirectory);
  const share = (amount: number) => Math.floor(amount / config.capacityDivisor);
  return {
    name: config.nodeName,
    ip: config.nodeIp,
    architecture: goArchitecture(),
    labels: config.labels,
    cpuMillis: config.cpu === undefined ? share(host.cpuMillis) : Number(milliValue(config.cpu)),
    memoryBytes: config.memory === undefined ? share(host.memoryBytes) : quantityToNumber(config.memory),
    ephemeralStorageBytes: share(host.diskBytes),
    podsMax: config.podsMax,
    kubeletPort: config.port,
  };
}

/** Starts everything and returns at once: the API server may come later. */
export async function startKubelet(config: KubeletConfig, adapters: KubeletAdapters): Promise<Kubelet> {
  const { client, runtime, clock, random, logger, metrics } = adapters;
  // Whatever goes wrong with one pod, one probe or one event must not end the kubelet and with it all others.
  const scope = adapters.scope.child('kubelet', (work, error) =>
    logger.error({ err: error, work }, 'background work failed'),
  );
  await mkdir(config.rootDirectory, { recursive: true });
  const description = await describeNode(config);
  const factory = new InformerFactory({ client, clock, random, logger, scope });
  const pods = factory.informer(resources.pods, { fieldSelector: `spec.nodeName=${config.nodeName}` });
  const nodes = factory.informer(resources.nodes);
  const services = factory.informer(resources.services);
  const recorder = new EventRecorder({ client, clock, logger, scope, component: 'kubelet', host: config.nodeName });
  const references = apiReferences(client, clock);
  const events = podEvents(recorder);
  const allocatable = (): NodeAllocatable => ({
    cpuMillis: description.cpuMillis,
    memoryBytes: description.memoryBytes,
    ephemeralStorageBytes: description.ephemeralStorageBytes,
  });
  const wake = (uid: string): void => workers.wake(uid);
  const cache = new RuntimeCache({ runtime, clock, logger, scope, metrics, onChange: wake });
  const probes = new ProbeManager({ run: adapters.prober, events, clock, random, logger, scope, onVerdict: wake });
  const status = new StatusManager({ client, pods, clock, logger, scope });
  const network = new PodNetwork({
    wiring: adapters.wiring,
    nodeName: config.nodeName,
    clusterCidr: config.clusterCidr,
    stateFile: adapters.volumes === 'disk' ? join(config.rootDirectory, 'last-pod-address') : undefined,
  });
  const volumes = await volumesOf(config, adapters, allocatable, references);
  const environment: PodEnvironment = {
    runtime,
    cache,
    network,
    volumes,
    probes,
    puller: new ImagePuller({ runtime, references, events, clock }),
    status,
    events,
    specs: {
      references,
      services: () => services.list(),
      allocatable,
      memoryCapacityBytes: description.memoryBytes,
      hostIp: config.nodeIp,
      rootDirectory: adapters.volumes === 'disk' ? config.rootDirectory : undefined,
    },
    services: () => services.list(),
    clock,
    logger,
    dns: { nameservers: config.clusterDns, domain: config.clusterDomain },
    hostResolver: async () => parseResolvConf(await readFile(config.resolvConf, 'utf8')),
    drainMs: config.drainMs,
  };
  const workers: PodWorkers = new PodWorkers({ pods, scope, podsMax: config.podsMax }, environment);
  const agent = new NodeAgent({
    client,
    nodes,
    runtime,
    clock,
    logger,
    events: recorder,
    description,
    register: config.register,
    checkMs: config.statusCheckMs,
    facts: async () => ({
      ...(await measure(config.rootDirectory)),
      problems: [network.problem, cache.problem].filter((problem) => problem !== undefined),
    }),
  });
  await network.start();
  followNodes(config, { network, workers, agent, nodes, clock, logger, scope });
  scope.run('node status', (signal) => agent.run(signal));
  scope.run('node lease', (signal) =>
    keepNodeLease(
      {
        client,
        clock,
        logger,
        nodeName: config.nodeName,
        durationSeconds: config.leaseSeconds,
        node: () => agent.node,
      },
      signal,
    ),
  );
  status.start();
  cache.start();
  scope.run('pods', async (signal) => {
    await services.synced(signal);
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

async function volumesOf(
  config: KubeletConfig,
  adapters: KubeletAdapters,
  allocatable: () => NodeAllocatable,
  references: ReturnType<typeof apiReferences>,
): Promise<PodVolumes> {
  if (adapters.volumes !== 'disk') return adapters.volumes;
  const { client, clock, random, run, logger } = adapters;
  const tokens = new ServiceAccountTokens(client, clock, random);
  const sources = { references, tokens, hostIp: config.nodeIp, allocatable };
  const volumes = new DiskVolumes({ rootDirectory: config.rootDirectory, sources, run, clock, logger });
  await volumes.prepare();
  return volumes;
}

interface NodeFollowers {
  readonly network: PodNetwork;
  readonly workers: PodWorkers;
  readonly agent: NodeAgent;
  readonly nodes: ReturnType<InformerFactory['informer']>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly scope: Scope;
}

const networkRetryMs = 1_000;

/** Keeps routes and rules equal to what the nodes say; one change of the network at a time, the latest state only. */
function followNodes(config: KubeletConfig, followers: NodeFollowers): void {
  const { network, workers, agent, nodes, clock, logger, scope } = followers;
  let dirty = false;
  let working = false;
  const apply = async () => {
    const own = agent.node;
    const cidr = config.podCidr ?? own?.spec?.podCIDR;
    const wasReady = network.problem === undefined;
    if (cidr !== undefined && cidr !== '') await network.setPodCidr(cidr);
    await network.setNodes(nodes.list());
    if (wasReady || network.problem !== undefined) return;
    agent.checkNow();
    workers.wakeAll();
  };
  const onChange = () => {
    dirty = true;
    if (working) return;
    working = true;
    scope.run('node network', async (signal) => {
      while (dirty) {
        dirty = false;
        try {
          await apply();
        } catch (error) {
          logger.error({ err: error }, 'cannot bring routes and rules up to date, trying again');
          dirty = await pause(clock, networkRetryMs, signal);
        }
      }
      working = false;
    });
  };
  nodes.onChange(onChange);
  onChange();
}

function healthOf(cache: RuntimeCache): Health {
  const health = new Health();
  health.addLive('runtime', () => cache.problem);
  return health;
}
