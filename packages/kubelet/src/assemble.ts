// Builds everything that works on the pods of one node and joins it together.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Service } from '@wherry/api';
import type { Scope } from '@wherry/daemon';
import { ImagePuller } from './images/image-puller.ts';
import type { KubeletAdapters, KubeletConfig } from './kubelet-config.ts';
import { PodNetwork } from './network/pod-network.ts';
import { parseResolvConf } from './plan/name-resolution.ts';
import type { NodeDescription } from './plan/node-object.ts';
import type { NodeAllocatable } from './plan/resource-ref.ts';
import { containerSpec, type NodePlace } from './pods/container-spec.ts';
import type { PodEnvironment } from './pods/pod-environment.ts';
import { type EventSink, podEvents } from './pods/pod-events.ts';
import type { PodSource } from './pods/pod-source.ts';
import { PodWorkers } from './pods/pod-workers.ts';
import { apiReferences, type References } from './pods/references.ts';
import type { RunningCounts } from './pods/running-counts.ts';
import { RuntimeCache } from './pods/runtime-cache.ts';
import type { StatusManager } from './pods/status-manager.ts';
import { httpGet } from './probes/http-probe.ts';
import { ProbeManager } from './probes/probe-manager.ts';
import { hollowHttpGet, hollowReferences, hollowSpec, hollowVolumes } from './runtime/hollow/hollow-node.ts';
import { DiskVolumes, type PodVolumes } from './volumes/pod-volumes.ts';
import { ServiceAccountTokens } from './volumes/service-account-tokens.ts';

/** What a node shares with the other nodes of its process, if there are any. */
export interface Surroundings {
  readonly pods: PodSource;
  readonly services: () => readonly Service[];
  readonly events: EventSink;
  readonly status: StatusManager;
  readonly counts: RunningCounts;
}

export interface Parts {
  readonly workers: PodWorkers;
  readonly cache: RuntimeCache;
  readonly network: PodNetwork;
}

/** What depends on whether there is something in the containers. */
type Insides = Pick<PodEnvironment, 'volumes' | 'puller' | 'makeSpec' | 'httpGet' | 'resyncMs'>;

const resyncMs = 60_000;
const relistMs = 30_000;

export async function assemble(
  config: KubeletConfig,
  adapters: KubeletAdapters,
  description: NodeDescription,
  surroundings: Surroundings,
  scope: Scope,
): Promise<Parts> {
  const { runtime, clock, random, logger, isHollow } = adapters;
  const { services, status, counts } = surroundings;
  const events = podEvents(surroundings.events);
  const place: NodePlace = {
    hostIp: config.nodeIp,
    rootDirectory: isHollow ? undefined : config.rootDirectory,
  };
  const wake = (uid: string): void => workers.wake(uid);
  const cache = new RuntimeCache({
    runtime,
    clock,
    logger,
    scope,
    counts,
    relistMs: isHollow ? undefined : relistMs,
    onChange: wake,
  });
  const network = new PodNetwork({
    wiring: adapters.wiring,
    nodeName: config.nodeName,
    clusterCidr: config.clusterCidr,
    stateFile: isHollow ? undefined : join(config.rootDirectory, 'last-pod-address'),
  });
  const environment: PodEnvironment = {
    runtime,
    cache,
    network,
    probes: new ProbeManager({ run: adapters.prober, events, clock, random, logger, scope, onVerdict: wake }),
    status,
    events,
    place,
    ...(isHollow
      ? hollowInsides(adapters, events)
      : await realInsides(config, adapters, description, place, services, events)),
    services,
    clock,
    logger,
    dns: { nameservers: config.clusterDns, domain: config.clusterDomain },
    hostResolver: async () => parseResolvConf(await readFile(config.resolvConf, 'utf8')),
    drainMs: config.drainMs,
  };
  const { pods } = surroundings;
  const workers: PodWorkers = new PodWorkers({ pods, scope, podsMax: config.podsMax }, environment);
  return { workers, cache, network };
}

/** Nothing changes in them by itself, so nothing has to be looked at again. */
function hollowInsides(adapters: KubeletAdapters, events: PodEnvironment['events']): Insides {
  const { runtime, clock } = adapters;
  return {
    volumes: hollowVolumes,
    puller: new ImagePuller({ runtime, references: hollowReferences, events, clock }),
    makeSpec: (inputs) => hollowSpec(inputs, events),
    httpGet: hollowHttpGet,
    resyncMs: Number.POSITIVE_INFINITY,
  };
}

async function realInsides(
  config: KubeletConfig,
  adapters: KubeletAdapters,
  description: NodeDescription,
  place: NodePlace,
  services: () => readonly Service[],
  events: PodEnvironment['events'],
): Promise<Insides> {
  const { client, runtime, clock } = adapters;
  const references = apiReferences(client, clock);
  const { cpuMillis, memoryBytes, ephemeralStorageBytes } = description;
  const allocatable = (): NodeAllocatable => ({ cpuMillis, memoryBytes, ephemeralStorageBytes });
  const sources = { place, references, services, allocatable, memoryCapacityBytes: memoryBytes };
  return {
    volumes: await diskVolumes(config, adapters, allocatable, references),
    puller: new ImagePuller({ runtime, references, events, clock }),
    makeSpec: (inputs) => containerSpec(inputs, sources),
    httpGet,
    resyncMs,
  };
}

async function diskVolumes(
  config: KubeletConfig,
  adapters: KubeletAdapters,
  allocatable: () => NodeAllocatable,
  references: References,
): Promise<PodVolumes> {
  const { client, clock, random, run, logger } = adapters;
  const tokens = new ServiceAccountTokens(client, clock, random);
  const sources = { references, tokens, hostIp: config.nodeIp, allocatable };
  const volumes = new DiskVolumes({ rootDirectory: config.rootDirectory, sources, run, clock, logger });
  await volumes.prepare();
  return volumes;
}
