// One mailbox for each pod: only the latest state counts, and nobody works on a pod twice at once. Wakes come from the
// API, the runtime, probes and timers; all they say is "look again".
import type { Pod } from '@wherry/api';
import { pause, type Scope } from '@wherry/daemon';
import { sameJson } from '../plan/pod-status.ts';
import type { RuntimePod } from '../plan/runtime-state.ts';
import type { PodIdentity } from '../runtime/port.ts';
import { newPodState, type PodEnvironment, type PodState } from './pod-environment.ts';
import { PodMailboxes } from './pod-mailboxes.ts';
import { syncPod } from './pod-runner.ts';
import type { PodSource } from './pod-source.ts';
import { currentGraceMs, endPod, removePod } from './pod-termination.ts';

export interface PodWorkersOptions {
  readonly pods: PodSource;
  readonly scope: Scope;
  /** Pods that this node may have; as many again may be ending at the same time. */
  readonly podsMax: number;
}

/** Between two tries to list what runs already. */
const listRetryMs = 500;

export class PodWorkers {
  readonly #options: PodWorkersOptions;
  readonly #environment: PodEnvironment;
  readonly #states = new Map<string, PodState>();
  readonly #mailboxes: PodMailboxes;

  constructor(options: PodWorkersOptions, environment: PodEnvironment) {
    this.#options = options;
    this.#environment = environment;
    const { clock, logger } = environment;
    this.#mailboxes = new PodMailboxes({
      clock,
      logger,
      scope: options.scope,
      atOnceMax: options.podsMax * 2,
      look: (uid, stop) => this.#look(uid, stop),
    });
  }

  /** Looks at the pod again soon. Unknown pods are looked up in the runtime. */
  wake(podUid: string): void {
    this.#mailboxes.wake(podUid);
  }

  wakeAll(): void {
    for (const uid of this.#states.keys()) this.wake(uid);
  }

  /** Pods of this node as last known from the API. */
  list(): readonly Pod[] {
    return [...this.#states.values()].flatMap((state) => (state.pod === undefined ? [] : [state.pod]));
  }

  find(namespace: string, name: string): Pod | undefined {
    return this.list().find((pod) => pod.metadata?.namespace === namespace && pod.metadata.name === name);
  }

  /** Follows the API and begins. Until the first list has come nothing is touched: it decides who is an orphan. */
  async start(signal: AbortSignal): Promise<void> {
    const { pods, scope } = this.#options;
    const { network, runtime } = this.#environment;
    await pods.synced(signal);
    runtime.follow?.(pods);
    const found = await this.#firstList(signal);
    if (found === undefined) return;
    network.recover(found);
    pods.onChange(({ kind, object }) => (kind === 'deleted' ? this.#removed(object) : this.#updated(object)));
    for (const pod of found) this.wake(pod.uid);
    scope.run('remove left volumes', () => this.#removeLeftVolumes());
    this.#mailboxes.start();
  }

  /** What runs already. The engine may be away just now. */
  async #firstList(signal: AbortSignal): Promise<readonly RuntimePod[] | undefined> {
    const { cache, clock, logger } = this.#environment;
    do {
      try {
        return await cache.refreshAll();
      } catch (error) {
        logger.warn({ err: error }, 'cannot list the containers of this node, trying again');
      }
    } while (await pause(clock, listRetryMs, signal));
    return undefined;
  }

  /** Files and mounts of pods that ended while no kubelet ran. */
  async #removeLeftVolumes(): Promise<void> {
    const { cache, volumes, logger } = this.#environment;
    for (const uid of await volumes.pods()) {
      if (this.#states.has(uid) || cache.get(uid) !== undefined) continue;
      try {
        await volumes.tearDown(uid);
      } catch (error) {
        logger.error({ err: error, podUid: uid }, 'cannot remove the volumes of a pod that is gone');
      }
    }
  }

  #updated(pod: Pod): void {
    const { uid = '', name = '', namespace = '' } = pod.metadata ?? {};
    const known = this.#states.get(uid);
    // Ended as an orphan: it begins anew once that is done.
    if (known?.removed === true) return;
    const state = known ?? newPodState({ uid, name, namespace }, pod, this.#environment.clock.monotonicMs());
    this.#states.set(uid, state);
    const statusOnly = known?.pod !== undefined && !mustLook(known.pod, pod);
    state.pod = pod;
    if (pod.metadata?.deletionTimestamp !== undefined) this.#deleting(state);
    // Mostly the echo of our own status; but a node that was silent finds its pods marked as not ready.
    this.#environment.status.seen(pod);
    if (!statusOnly) this.wake(uid);
  }

  #removed(pod: Pod): void {
    const state = this.#states.get(pod.metadata?.uid ?? '');
    if (state === undefined) return;
    state.pod = pod;
    state.removed = true;
    this.#deleting(state);
    this.wake(state.identity.uid);
  }

  #deleting(state: PodState): void {
    state.stopStarting.abort();
    if (state.phase !== 'ending') return;
    const runtime = this.#environment.cache.get(state.identity.uid);
    const graceMs = state.removed ? 1_000 : currentGraceMs(state, runtime);
    if (graceMs >= state.graceMs || runtime === undefined) return;
    state.graceMs = graceMs;
    state.hasten.abort();
    for (const container of runtime.containers) {
      if (container.phase !== 'running') continue;
      this.#options.scope.run('shorten grace period', () =>
        this.#environment.runtime.stopContainer(container.id, graceMs),
      );
    }
  }

  async #look(uid: string, stop: AbortSignal): Promise<number | undefined> {
    const state = this.#states.get(uid) ?? this.#orphan(uid);
    if (state === undefined) return undefined;
    if (state.phase === 'running') {
      const outcome = await this.#run(state, stop);
      if (outcome !== undefined) return outcome;
      state.phase = 'ending';
    }
    if (state.phase === 'ending') {
      await endPod(state, this.#environment, stop);
      state.phase = 'ended';
    }
    await this.#afterEnd(state);
    return undefined;
  }

  /** A pod in the runtime that the API does not know: its end is all there is to do. */
  #orphan(uid: string): PodState | undefined {
    const found = this.#environment.cache.get(uid);
    if (found === undefined) return undefined;
    const identity: PodIdentity = { uid, name: found.name, namespace: found.namespace };
    this.#environment.logger.info({ pod: identity }, 'ending a pod that the API does not have');
    const state = newPodState(identity, undefined, this.#environment.clock.monotonicMs());
    this.#states.set(uid, state);
    return state;
  }

  /** Milliseconds until the next look, or undefined once the pod is to end. */
  async #run(state: PodState, stop: AbortSignal): Promise<number | undefined> {
    const { pod } = state;
    if (pod === undefined || state.removed || isOver(pod)) return undefined;
    const signal = AbortSignal.any([stop, state.stopStarting.signal]);
    try {
      const outcome = await syncPod(state, pod, this.#environment, signal);
      return outcome.kind === 'ended' ? undefined : outcome.afterMs;
    } catch (error) {
      if (state.stopStarting.signal.aborted && !stop.aborted) return undefined;
      throw error;
    }
  }

  async #afterEnd(state: PodState): Promise<void> {
    const { uid } = state.identity;
    const deleting = state.pod?.metadata?.deletionTimestamp !== undefined;
    if (!state.removed && !deleting) return;
    await removePod(state, this.#environment);
    // A pod whose object is kept by finalizers is remembered, so that it is not started again.
    if (!state.removed) return;
    this.#environment.status.forget(uid);
    this.#states.delete(uid);
    const { namespace, name } = state.identity;
    const present = this.#options.pods.get(`${namespace}/${name}`);
    if (present?.metadata?.uid === uid) this.#updated(present);
  }
}

function isOver(pod: Pod): boolean {
  const phase = pod.status?.phase;
  return pod.metadata?.deletionTimestamp !== undefined || phase === 'Succeeded' || phase === 'Failed';
}

/** Changes that concern the kubelet: a new spec, metadata that it projects, readiness gates, an end. */
function mustLook(before: Pod, after: Pod): boolean {
  const conditionsOf = (pod: Pod) =>
    (pod.spec?.readinessGates ?? [])
      .map((gate) => pod.status?.conditions?.find(({ type }) => type === gate.conditionType)?.status)
      .join();
  return (
    after.metadata?.generation === undefined ||
    before.metadata?.generation !== after.metadata.generation ||
    before.metadata?.deletionTimestamp !== after.metadata?.deletionTimestamp ||
    before.metadata?.deletionGracePeriodSeconds !== after.metadata?.deletionGracePeriodSeconds ||
    !sameJson(before.metadata?.labels, after.metadata?.labels) ||
    !sameJson(before.metadata?.annotations, after.metadata?.annotations) ||
    isOver(before) !== isOver(after) ||
    conditionsOf(before) !== conditionsOf(after)
  );
}
