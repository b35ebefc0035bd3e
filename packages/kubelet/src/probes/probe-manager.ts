// One loop for each probe of each running container, and the verdicts they have come to.
import type { Container, Pod, Probe } from '@wherry/api';
import { type Clock, type Logger, pause, type Random, type Scope } from '@wherry/daemon';
import {
  firstProbeDelayMs,
  initialProbeState,
  nextProbeDelayMs,
  nextProbeState,
  type ProbeResult,
  type ProbeState,
  type ProbeTiming,
  probeOf,
  probeTiming,
} from '../plan/probe-state.ts';
import type { ProbeKind, ProbeVerdict, ProbeVerdicts } from '../plan/probe-verdicts.ts';
import { latestContainer, type RuntimeContainer, type RuntimePod } from '../plan/runtime-state.ts';
import type { PodEvents } from '../pods/pod-events.ts';
import type { RunProbe } from './prober.ts';

export interface ProbeManagerOptions {
  readonly run: RunProbe;
  readonly events: PodEvents;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly scope: Scope;
  /** A verdict changed: the pod has to be looked at. */
  readonly onVerdict: (podUid: string) => void;
}

interface Worker {
  readonly podUid: string;
  readonly kind: ProbeKind;
  readonly containerId: string;
  readonly container: Container;
  pod: Pod;
  podIp: string;
  state: ProbeState;
  /** Ends its loop; undefined while it has none, for its answers stay the same. */
  controller: AbortController | undefined;
}

const kinds: readonly ProbeKind[] = ['startup', 'readiness', 'liveness'];
const labels: Readonly<Record<ProbeKind, string>> = {
  startup: 'Startup',
  readiness: 'Readiness',
  liveness: 'Liveness',
};
/** A kubelet this young finds containers that were running before it; it spreads their first probes. */
const freshKubeletMs = 10_000;

export class ProbeManager implements ProbeVerdicts {
  readonly #options: ProbeManagerOptions;
  readonly #bornAtMs: number;
  readonly #workers = new Map<string, Worker>();
  readonly #byPod = new Map<string, Set<string>>();

  constructor(options: ProbeManagerOptions) {
    this.#options = options;
    this.#bornAtMs = options.clock.now();
  }

  startup(containerId: string): ProbeVerdict | undefined {
    return this.#verdict('startup', containerId);
  }

  readiness(containerId: string): ProbeVerdict | undefined {
    return this.#verdict('readiness', containerId);
  }

  liveness(containerId: string): ProbeVerdict | undefined {
    return this.#verdict('liveness', containerId);
  }

  #verdict(kind: ProbeKind, containerId: string): ProbeVerdict | undefined {
    return this.#workers.get(`${kind} ${containerId}`)?.state.verdict;
  }

  /** Starts the loops of containers that run, ends those of containers that do not. */
  sync(pod: Pod, runtime: RuntimePod, podIp: string): void {
    const uid = runtime.uid;
    const wanted = new Set<string>();
    for (const container of [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])]) {
      const latest = latestContainer(runtime, container.name);
      if (latest?.phase !== 'running') continue;
      for (const kind of kinds) {
        if (probeOf(container, kind) === undefined) continue;
        const key = `${kind} ${latest.id}`;
        wanted.add(key);
        const known = this.#workers.get(key);
        if (known === undefined) this.#begin(key, kind, pod, container, latest, podIp);
        else this.#continue(known, pod, podIp);
      }
    }
    for (const key of this.#byPod.get(uid) ?? []) if (!wanted.has(key)) this.#end(key);
  }

  /** Ends the probes that could have a container killed; readiness goes on to the end. */
  stopLiveness(podUid: string): void {
    for (const key of this.#byPod.get(podUid) ?? []) if (!key.startsWith('readiness')) this.#end(key);
  }

  stop(podUid: string): void {
    for (const key of this.#byPod.get(podUid) ?? []) this.#end(key);
  }

  #begin(key: string, kind: ProbeKind, pod: Pod, container: Container, latest: RuntimeContainer, podIp: string): void {
    const worker: Worker = {
      podUid: latest.podUid,
      kind,
      containerId: latest.id,
      container,
      pod,
      podIp,
      state: initialProbeState(kind, knownVerdict(pod, kind, latest.id)),
      controller: undefined,
    };
    this.#workers.set(key, worker);
    const keys = this.#byPod.get(latest.podUid) ?? new Set<string>();
    this.#byPod.set(latest.podUid, keys.add(key));
    const { clock, random } = this.#options;
    const probe = probeOf(container, kind);
    if (probe === undefined) return;
    const runningForMs = clock.now() - (latest.startedAtMs ?? latest.createdAtMs);
    const timing = probeTiming(probe);
    const found = clock.now() - this.#bornAtMs < freshKubeletMs && runningForMs > freshKubeletMs;
    this.#run(worker, firstProbeDelayMs(timing, runningForMs, found, random.next()));
  }

  /** What the pod says of itself has perhaps changed: a probe that was at rest asks again. */
  #continue(worker: Worker, pod: Pod, podIp: string): void {
    const changed = worker.pod !== pod;
    Object.assign(worker, { pod, podIp });
    if (changed && worker.controller === undefined && !worker.state.stopped) this.#run(worker, 0);
  }

  #run(worker: Worker, firstDelayMs: number): void {
    const controller = new AbortController();
    worker.controller = controller;
    this.#options.scope.run('probe', async (outer) => {
      await this.#loop(worker, firstDelayMs, AbortSignal.any([outer, controller.signal]));
      worker.controller = undefined;
    });
  }

  #end(key: string): void {
    const worker = this.#workers.get(key);
    if (worker === undefined) return;
    worker.controller?.abort();
    this.#workers.delete(key);
    const keys = this.#byPod.get(worker.podUid);
    keys?.delete(key);
    if (keys?.size === 0) this.#byPod.delete(worker.podUid);
  }

  async #loop(worker: Worker, firstDelayMs: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const probe = probeOf(worker.container, worker.kind);
    if (probe === undefined) return;
    const timing = probeTiming(probe);
    let waitMs = firstDelayMs;
    while (!worker.state.stopped && Number.isFinite(waitMs) && (await pause(clock, waitMs, signal))) {
      const held = worker.kind !== 'startup' && !this.#hasStarted(worker);
      // A container that has just started up should not wait a whole period for its readiness.
      waitMs = held ? Math.min(timing.periodMs, 200) : await this.#probeOnce(probe, timing, worker, signal);
    }
  }

  #hasStarted(worker: Worker): boolean {
    return worker.container.startupProbe === undefined || this.startup(worker.containerId) === 'success';
  }

  /** @returns milliseconds until the next run */
  async #probeOnce(probe: Probe, timing: ProbeTiming, worker: Worker, signal: AbortSignal): Promise<number> {
    let result: ProbeResult;
    try {
      result = await this.#options.run(probe, worker, signal);
    } catch (error) {
      if (signal.aborted) return Number.POSITIVE_INFINITY;
      throw error;
    }
    if (signal.aborted) return Number.POSITIVE_INFINITY;
    this.#report(worker, result);
    const before = worker.state.verdict;
    worker.state = nextProbeState(worker.kind, timing, worker.state, result);
    if (worker.state.verdict !== before || worker.state.stopped) {
      const { podUid, kind, containerId } = worker;
      this.#options.logger.info(
        { podUid, container: worker.container.name, containerId, kind, verdict: worker.state.verdict },
        'probe verdict',
      );
      this.#options.onVerdict(podUid);
    }
    return nextProbeDelayMs(timing, worker.state, result);
  }

  #report(worker: Worker, result: ProbeResult): void {
    if (result.kind === 'success') return;
    const message =
      result.kind === 'failure'
        ? `${labels[worker.kind]} probe failed: ${result.output}`
        : `${labels[worker.kind]} probe errored and resulted in unknown state: ${result.message}`;
    this.#options.events.container(worker.pod, worker.container.name, 'Warning', 'Unhealthy', message);
  }
}

/** What the API shows for this very container: a restarted kubelet must not call it unready until it has asked. */
function knownVerdict(pod: Pod, kind: ProbeKind, containerId: string): ProbeVerdict | undefined {
  const statuses = [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])];
  const status = statuses.find((one) => one.containerID?.endsWith(`://${containerId}`) === true);
  if (kind === 'readiness' && status?.ready === true) return 'success';
  if (kind === 'startup' && status?.started === true) return 'success';
  return undefined;
}
