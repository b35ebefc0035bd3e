// What the work on a pod needs, and what a pod's worker remembers between two looks at it.
import type { Pod, Service } from '@wherry/api';
import type { Clock, Logger } from '@wherry/daemon';
import type { ImagePuller } from '../images/image-puller.ts';
import type { PodNetwork } from '../network/pod-network.ts';
import type { StartFailure } from '../plan/container-status.ts';
import type { ClusterDns, ResolverConfig } from '../plan/name-resolution.ts';
import type { HttpGet } from '../probes/http-probe.ts';
import type { ProbeManager } from '../probes/probe-manager.ts';
import type { ContainerSpec, PodIdentity, Runtime } from '../runtime/port.ts';
import type { PodVolumes, VolumePaths } from '../volumes/pod-volumes.ts';
import type { ContainerInputs, NodePlace } from './container-spec.ts';
import type { PodEvents } from './pod-events.ts';
import type { RuntimeCache } from './runtime-cache.ts';
import type { StatusManager } from './status-manager.ts';

export interface PodEnvironment {
  readonly runtime: Runtime;
  readonly cache: RuntimeCache;
  readonly network: PodNetwork;
  readonly volumes: PodVolumes;
  readonly probes: ProbeManager;
  readonly puller: ImagePuller;
  readonly status: StatusManager;
  readonly events: PodEvents;
  readonly place: NodePlace;
  /** @throws ContainerConfigError when the spec cannot be fulfilled as things are */
  readonly makeSpec: (inputs: ContainerInputs) => Promise<ContainerSpec>;
  /** For lifecycle hooks. */
  readonly httpGet: HttpGet;
  readonly services: () => readonly Service[];
  readonly clock: Clock;
  readonly logger: Logger;
  readonly dns: ClusterDns;
  readonly hostResolver: () => Promise<ResolverConfig>;
  /** A pod at rest is looked at this often, and its volumes are brought up to date then; Infinity: never. */
  readonly resyncMs: number;
  /** How long SIGTERM may be held back for pods behind a Service. */
  readonly drainMs: number;
}

export type PodPhaseHere = 'running' | 'ending' | 'ended';

export interface PodState {
  readonly identity: PodIdentity;
  /** The newest spec; undefined for pods that only the runtime knows. */
  pod: Pod | undefined;
  /** The API does not have it any more. */
  removed: boolean;
  phase: PodPhaseHere;
  /** Nothing of it is left on this node. */
  cleaned: boolean;
  /** Why the kubelet itself ended it. */
  verdict: { readonly reason: string; readonly message: string } | undefined;
  /** When this worker first heard of it, monotonic: what the pod refers to must have been read later. */
  readonly knownAtMs: number;
  /** Its volumes, once they have been made; from then on a failure to refresh them holds nothing up. */
  volumePaths: VolumePaths | undefined;
  volumeFailures: number;
  readonly startFailures: Map<string, StartFailure>;
  /** Termination messages by container id: files and logs are read once. */
  readonly messages: Map<string, string>;
  /** Ends the work on starting it, as soon as it is to end. */
  readonly stopStarting: AbortController;
  /** Cuts hooks and waits short when the grace period is shortened. */
  hasten: AbortController;
  graceMs: number;
}

export function newPodState(identity: PodIdentity, pod: Pod | undefined, nowMonotonicMs: number): PodState {
  return {
    identity,
    pod,
    removed: pod === undefined,
    phase: 'running',
    cleaned: false,
    verdict: undefined,
    knownAtMs: nowMonotonicMs,
    volumePaths: undefined,
    volumeFailures: 0,
    startFailures: new Map(),
    messages: new Map(),
    stopStarting: new AbortController(),
    hasten: new AbortController(),
    graceMs: 0,
  };
}

/** Rejects when the signal aborts, even if the work itself cannot be stopped; it then goes on unwatched. */
export async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const stop = () => aborted.reject(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', stop);
    // Its outcome is nobody's any more.
    work.catch(() => undefined);
  }
}
