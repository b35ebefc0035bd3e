// Builds everything that works on pods and joins it together.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Node, Pod, Service } from '@wherry/api';
import type { Informer } from '@wherry/client';
import type { Scope } from '@wherry/daemon';
import { ImagePuller } from './images/image-puller.ts';
import type { KubeletAdapters, KubeletConfig } from './kubelet-config.ts';
import { PodNetwork } from './network/pod-network.ts';
import { parseResolvConf } from './plan/name-resolution.ts';
import type { NodeDescription } from './plan/node-object.ts';
import type { NodeAllocatable } from './plan/resource-ref.ts';
import type { PodEnvironment } from './pods/pod-environment.ts';
import { type EventSink, podEvents } from './pods/pod-events.ts';
import { PodWorkers } from './pods/pod-workers.ts';
import { apiReferences, type References } from './pods/references.ts';
import { RuntimeCache } from './pods/runtime-cache.ts';
import { StatusManager } from './pods/status-manager.ts';
import { ProbeManager } from './probes/probe-manager.ts';
import { DiskVolumes, type PodVolumes } from './volumes/pod-volumes.ts';
import { ServiceAccountTokens } from './volumes/service-account-tokens.ts';

export interface Informers {
  readonly pods: Informer<Pod>;
  readonly nodes: Informer<Node>;
  readonly services: Informer<Service>;
}

export interface Parts {
  readonly workers: PodWorkers;
  readonly cache: RuntimeCache;
  readonly status: StatusManager;
  readonly network: PodNetwork;
}

function allocatableOf(description: NodeDescription): () => NodeAllocatable {
  const { cpuMillis, memoryBytes, ephemeralStorageBytes } = description;
  return () => ({ cpuMillis, memoryBytes, ephemeralStorageBytes });
}

export async function assemble(
  config: KubeletConfig,
  adapters: KubeletAdapters,
  description: NodeDescription,
  informers: Informers,
  recorder: EventSink,
  scope: Scope,
): Promise<Parts> {
  const { client, runtime, clock, random, logger, metrics } = adapters;
  const onDisk = adapters.volumes === 'disk';
  const references = apiReferences(client, clock);
  const events = podEvents(recorder);
  const allocatable = allocatableOf(description);
  const services = () => informers.services.list();
  const wake = (uid: string): void => workers.wake(uid);
  const cache = new RuntimeCache({ runtime, clock, logger, scope, metrics, onChange: wake });
  const status = new StatusManager({ client, pods: informers.pods, clock, logger, scope });
  const network = new PodNetwork({
    wiring: adapters.wiring,
    nodeName: config.nodeName,
    clusterCidr: config.clusterCidr,
    stateFile: onDisk ? join(config.rootDirectory, 'last-pod-address') : undefined,
  });
  const environment: PodEnvironment = {
    runtime,
    cache,
    network,
    volumes: await volumesOf(config, adapters, allocatable, references),
    probes: new ProbeManager({ run: adapters.prober, events, clock, random, logger, scope, onVerdict: wake }),
    puller: new ImagePuller({ runtime, references, events, clock }),
    status,
    events,
    specs: {
      references,
      services,
      allocatable,
      memoryCapacityBytes: description.memoryBytes,
      hostIp: config.nodeIp,
      rootDirectory: onDisk ? config.rootDirectory : undefined,
    },
    services,
    clock,
    logger,
    dns: { nameservers: config.clusterDns, domain: config.clusterDomain },
    hostResolver: async () => parseResolvConf(await readFile(config.resolvConf, 'utf8')),
    drainMs: config.drainMs,
  };
  const workers: PodWorkers = new PodWorkers({ pods: informers.pods, scope, podsMax: config.podsMax }, environment);
  return { workers, cache, status, network };
}

async function volumesOf(
  config: KubeletConfig,
  adapters: KubeletAdapters,
  allocatable: () => NodeAllocatable,
  references: References,
): Promise<PodVolumes> {
  if (adapters.volumes !== 'disk') return adapters.volumes;
  const { client, clock, random, run, logger } = adapters;
  const tokens = new ServiceAccountTokens(client, clock, random);
  const sources = { references, tokens, hostIp: config.nodeIp, allocatable };
  const volumes = new DiskVolumes({ rootDirectory: config.rootDirectory, sources, run, clock, logger });
  await volumes.prepare();
  return volumes;
}
