// Containers that exist in memory only: thousands of simulated nodes in one process. Everything takes its time on the
// injected clock, so that a test decides when it passes; how much time, annotations of the pods say.
import type { Readable } from 'node:stream';
import type { Pod } from '@wherry/api';
import type { Clock, Random, Timer } from '@wherry/daemon';
import { type HollowBehaviour, type HollowDefaults, hollowBehaviour } from '../../plan/hollow-behaviour.ts';
import { recoveredPod } from '../../plan/hollow-recovery.ts';
import type { RuntimeContainer, RuntimePod, RuntimeSandbox } from '../../plan/runtime-state.ts';
import type { PodSource } from '../../pods/pod-source.ts';
import {
  type ContainerSpec,
  type ContainerUsage,
  type ExecResult,
  type ImageFacts,
  type LogOptions,
  type PodIdentity,
  type PullPurpose,
  type RegistryAuth,
  type Runtime,
  RuntimeError,
  type RuntimeHint,
  type SandboxSpec,
  type Session,
} from '../port.ts';
import { HollowImages } from './hollow-images.ts';
import { hollowLog } from './hollow-log.ts';

export interface HollowRuntimeOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** @default 20 ms to start, 10 ms to stop, none to pull */
  readonly defaults?: Partial<HollowDefaults>;
  /** Images that cannot be pulled; every other one can. */
  readonly missingImages?: ReadonlySet<string>;
}

interface HollowPod {
  readonly identity: PodIdentity;
  readonly sandboxes: Map<string, RuntimeSandbox>;
  readonly containers: Map<string, RuntimeContainer>;
}

const usual: HollowDefaults = { pullMs: 0, startMs: 20, stopMs: 10 };
const killedExitCode = 137;

export class HollowRuntime implements Runtime {
  readonly name = 'hollow' as const;
  readonly #options: HollowRuntimeOptions;
  readonly #defaults: HollowDefaults;
  readonly #pods = new Map<string, HollowPod>();
  /** By id of a sandbox or container. */
  readonly #owners = new Map<string, HollowPod>();
  /** Ends of containers that are still to come. */
  readonly #ends = new Map<string, Timer>();
  readonly #images: HollowImages;
  readonly #watchers = new Set<(hint: RuntimeHint) => void>();
  #source: PodSource | undefined;

  constructor(options: HollowRuntimeOptions) {
    this.#options = options;
    this.#defaults = { ...usual, ...options.defaults };
    this.#images = new HollowImages(options.clock, options.missingImages);
  }

  follow(pods: PodSource): void {
    this.#source = pods;
    for (const pod of pods.list()) {
      const found = recoveredPod(pod);
      if (found !== undefined && !this.#pods.has(found.uid)) this.#takeOver(found);
    }
  }

  #takeOver(found: RuntimePod): void {
    const { uid, name, namespace } = found;
    const pod = this.#podOf({ uid, name, namespace });
    for (const sandbox of found.sandboxes) this.#keepSandbox(pod, sandbox);
    for (const container of found.containers) {
      this.#keepContainer(pod, container);
      this.#images.add(container.image);
      if (container.phase === 'running') this.#endInTime(pod.identity, container);
    }
  }

  #podOf(identity: PodIdentity): HollowPod {
    const known = this.#pods.get(identity.uid);
    if (known !== undefined) return known;
    const pod: HollowPod = { identity, sandboxes: new Map(), containers: new Map() };
    this.#pods.set(identity.uid, pod);
    return pod;
  }

  #keepSandbox(pod: HollowPod, sandbox: RuntimeSandbox): void {
    pod.sandboxes.set(sandbox.id, sandbox);
    this.#owners.set(sandbox.id, pod);
  }

  #keepContainer(pod: HollowPod, container: RuntimeContainer): void {
    pod.containers.set(container.id, container);
    this.#owners.set(container.id, pod);
  }

  #specOf(identity: PodIdentity): Pod | undefined {
    const pod = this.#source?.get(`${identity.namespace}/${identity.name}`);
    return pod?.metadata?.uid === identity.uid ? pod : undefined;
  }

  #behaviour(identity: PodIdentity, container: string): HollowBehaviour {
    return hollowBehaviour(this.#specOf(identity) ?? {}, container, this.#defaults);
  }

  /** How a container behaves, and for how long it has been running. @throws RuntimeError */
  inspect(id: string): { readonly behaviour: HollowBehaviour; readonly ageMs: number } {
    const { pod, container } = this.#find(id);
    const ageMs = this.#options.clock.now() - (container.startedAtMs ?? container.createdAtMs);
    return { behaviour: this.#behaviour(pod.identity, container.name), ageMs };
  }

  version(): Promise<string> {
    return Promise.resolve('hollow://1');
  }

  list(): Promise<readonly RuntimePod[]> {
    return Promise.resolve([...this.#pods.values()].map((pod) => this.#show(pod)));
  }

  pod(identity: PodIdentity): Promise<RuntimePod> {
    const pod = this.#pods.get(identity.uid);
    return Promise.resolve(pod === undefined ? { ...identity, sandboxes: [], containers: [] } : this.#show(pod));
  }

  #show(pod: HollowPod): RuntimePod {
    return {
      ...pod.identity,
      sandboxes: [...pod.sandboxes.values()].sort((left, right) => right.attempt - left.attempt),
      containers: [...pod.containers.values()].sort((left, right) => right.attempt - left.attempt),
    };
  }

  watch(onHint: (hint: RuntimeHint) => void, signal: AbortSignal): Promise<void> {
    this.#watchers.add(onHint);
    onHint({ kind: 'resync' });
    return new Promise((resolve) => {
      const stop = () => {
        this.#watchers.delete(onHint);
        for (const timer of this.#ends.values()) timer.cancel();
        resolve();
      };
      if (signal.aborted) stop();
      else signal.addEventListener('abort', stop, { once: true });
    });
  }

  #hint(podUid: string, id: string, action: 'start' | 'die' | 'destroy'): void {
    for (const watcher of this.#watchers) watcher({ kind: 'container', podUid, id, action });
  }

  /** 64 hexadecimal digits, as a real engine gives. */
  #newId(): string {
    return Buffer.from(this.#options.random.bytes(32)).toString('hex');
  }

  runSandbox(spec: SandboxSpec): Promise<{ readonly id: string; readonly pid: number }> {
    const pod = this.#podOf(spec.pod);
    const id = this.#newId();
    const sandbox: RuntimeSandbox = {
      id,
      podUid: spec.pod.uid,
      attempt: spec.attempt,
      ready: true,
      createdAtMs: this.#options.clock.now(),
      hostNetwork: spec.hostNetwork,
      pid: 1,
      ...(spec.ip !== undefined && { ip: spec.ip }),
    };
    this.#keepSandbox(pod, sandbox);
    this.#hint(spec.pod.uid, id, 'start');
    return Promise.resolve({ id, pid: 1 });
  }

  stopSandbox(id: string): Promise<void> {
    const pod = this.#owners.get(id);
    const sandbox = pod?.sandboxes.get(id);
    if (pod === undefined || sandbox === undefined || !sandbox.ready) return Promise.resolve();
    const { pid: _, ...rest } = sandbox;
    pod.sandboxes.set(id, { ...rest, ready: false });
    this.#hint(pod.identity.uid, id, 'die');
    for (const container of pod.containers.values()) {
      if (container.sandboxId === id && container.phase === 'running') this.exit(container.id, killedExitCode);
    }
    return Promise.resolve();
  }

  createContainer(spec: ContainerSpec): Promise<string> {
    const pod = this.#pods.get(spec.pod.uid);
    if (pod?.sandboxes.get(spec.sandboxId) === undefined) {
      return Promise.reject(new RuntimeError('refused', `No such container: ${spec.sandboxId}`));
    }
    const id = this.#newId();
    const { name, attempt, specHash, image, imageId, sandboxId, backoffMs, graceSeconds } = spec;
    const container: RuntimeContainer = {
      id,
      podUid: spec.pod.uid,
      name,
      attempt,
      specHash,
      phase: 'created',
      createdAtMs: this.#options.clock.now(),
      image,
      imageId,
      sandboxId,
      backoffMs,
      graceSeconds,
    };
    this.#keepContainer(pod, container);
    return Promise.resolve(id);
  }

  async startContainer(id: string): Promise<void> {
    const created = this.#find(id);
    await this.#options.clock.sleep(this.#behaviour(created.pod.identity, created.container.name).startMs);
    const { pod, container } = this.#find(id);
    const running: RuntimeContainer = { ...container, phase: 'running', startedAtMs: this.#options.clock.now() };
    pod.containers.set(id, running);
    this.#endInTime(pod.identity, running);
    this.#hint(pod.identity.uid, id, 'start');
  }

  /** A container that exits by itself does so at its time, whoever simulates it then. */
  #endInTime(identity: PodIdentity, container: RuntimeContainer): void {
    const { runMs, exitCode } = this.#behaviour(identity, container.name);
    if (!Number.isFinite(runMs)) return;
    const { clock } = this.#options;
    const leftMs = (container.startedAtMs ?? clock.now()) + runMs - clock.now();
    this.#ends.set(
      container.id,
      clock.setTimer(Math.max(0, leftMs), () => this.exit(container.id, exitCode)),
    );
  }

  async stopContainer(id: string, graceMs: number): Promise<void> {
    const found = this.#lookUp(id);
    if (found === undefined || found.container.phase !== 'running') return;
    const { stopMs } = this.#behaviour(found.pod.identity, found.container.name);
    await this.#options.clock.sleep(Math.min(graceMs, stopMs));
    this.exit(id, stopMs > graceMs ? killedExitCode : 0);
  }

  /** Ends a container as if its process had exited. */
  exit(id: string, exitCode: number, reason = exitCode === 0 ? 'Completed' : 'Error'): void {
    this.#cancelEnd(id);
    const found = this.#lookUp(id);
    if (found === undefined || found.container.phase === 'exited') return;
    const { pod, container } = found;
    const finishedAtMs = this.#options.clock.now();
    const startedAtMs = container.startedAtMs ?? finishedAtMs;
    pod.containers.set(id, { ...container, phase: 'exited', startedAtMs, finishedAtMs, exitCode, reason });
    this.#hint(pod.identity.uid, id, 'die');
  }

  #cancelEnd(id: string): void {
    this.#ends.get(id)?.cancel();
    this.#ends.delete(id);
  }

  remove(id: string): Promise<void> {
    this.#cancelEnd(id);
    const pod = this.#owners.get(id);
    if (pod === undefined) return Promise.resolve();
    this.#owners.delete(id);
    pod.containers.delete(id);
    pod.sandboxes.delete(id);
    if (pod.containers.size === 0 && pod.sandboxes.size === 0) this.#pods.delete(pod.identity.uid);
    this.#hint(pod.identity.uid, id, 'destroy');
    return Promise.resolve();
  }

  #lookUp(id: string): { readonly pod: HollowPod; readonly container: RuntimeContainer } | undefined {
    const pod = this.#owners.get(id);
    const container = pod?.containers.get(id);
    return pod === undefined || container === undefined ? undefined : { pod, container };
  }

  #find(id: string): { readonly pod: HollowPod; readonly container: RuntimeContainer } {
    const found = this.#lookUp(id);
    if (found === undefined) throw new RuntimeError('not-found', `No such container: ${id}`);
    return found;
  }

  image(reference: string): Promise<ImageFacts | undefined> {
    return Promise.resolve(this.#images.get(reference));
  }

  images(): Promise<readonly ImageFacts[]> {
    return Promise.resolve(this.#images.list());
  }

  async pullImage(reference: string, _auth?: RegistryAuth, signal?: AbortSignal, wanted?: PullPurpose): Promise<void> {
    const behaviour = wanted === undefined ? undefined : this.#behaviour(wanted.pod, wanted.container);
    await this.#images.pull(reference, behaviour?.pullMs ?? this.#defaults.pullMs, behaviour?.pullFailure, signal);
  }

  /** Commands of hooks and probes: nothing runs, and all goes well. */
  exec(containerId: string): Promise<ExecResult> {
    this.#find(containerId);
    return Promise.resolve({ exitCode: 0, output: '' });
  }

  openExec(containerId: string): Promise<Session> {
    return this.#refuse(containerId);
  }

  attach(containerId: string): Promise<Session> {
    return this.#refuse(containerId);
  }

  #refuse(containerId: string): Promise<never> {
    const { name } = this.#find(containerId).container;
    // Without a colon: kubectl would take a word with one for YAML, and show nothing.
    const message = `container "${name}" is simulated (its node is hollow), there is no process to talk to`;
    return Promise.reject(new RuntimeError('refused', message));
  }

  logs(containerId: string, options?: LogOptions, signal?: AbortSignal): Promise<Readable> {
    const { pod } = this.#find(containerId);
    const read = () => this.#lookUp(containerId)?.container;
    return Promise.resolve(hollowLog(pod.identity, read, options, this.#options.clock, signal));
  }

  usage(containerId: string): Promise<ContainerUsage | undefined> {
    if (this.#lookUp(containerId)?.container.phase !== 'running') return Promise.resolve(undefined);
    return Promise.resolve({ cpuNanos: 0, memoryBytes: 0, atMs: this.#options.clock.now() });
  }
}
