// Containers that exist in memory only: thousands of simulated nodes in one process. Everything takes its time on the
// injected clock, so that a test decides when it passes.
import { PassThrough, Readable } from 'node:stream';
import type { Clock, Random } from '@wherry/daemon';
import type { RuntimeContainer, RuntimePod, RuntimeSandbox } from '../../plan/runtime-state.ts';
import {
  type ContainerSpec,
  type ContainerUsage,
  type ExecResult,
  type ImageFacts,
  type PodIdentity,
  type Runtime,
  RuntimeError,
  type RuntimeHint,
  type SandboxSpec,
  type Session,
} from '../port.ts';

export interface HollowRuntimeOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** @default 20 */
  readonly sandboxStartMs?: number;
  /** @default 20 */
  readonly containerStartMs?: number;
  /** How long a container takes to obey SIGTERM. @default 10 */
  readonly stopMs?: number;
  /** Images that cannot be pulled; every other one can. */
  readonly missingImages?: ReadonlySet<string>;
}

interface HollowPod {
  readonly identity: PodIdentity;
  readonly sandboxes: Map<string, RuntimeSandbox>;
  readonly containers: Map<string, RuntimeContainer>;
}

const imageSizeBytes = 10 << 20;

export class HollowRuntime implements Runtime {
  readonly name = 'hollow' as const;
  readonly #options: HollowRuntimeOptions;
  readonly #pods = new Map<string, HollowPod>();
  readonly #images = new Map<string, ImageFacts>();
  readonly #watchers = new Set<(hint: RuntimeHint) => void>();

  constructor(options: HollowRuntimeOptions) {
    this.#options = options;
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

  async runSandbox(spec: SandboxSpec): Promise<{ readonly id: string; readonly pid: number }> {
    await this.#options.clock.sleep(this.#options.sandboxStartMs ?? 20);
    const pod = this.#pods.get(spec.pod.uid) ?? { identity: spec.pod, sandboxes: new Map(), containers: new Map() };
    this.#pods.set(spec.pod.uid, pod);
    const id = this.#newId();
    pod.sandboxes.set(id, {
      id,
      podUid: spec.pod.uid,
      attempt: spec.attempt,
      ready: true,
      createdAtMs: this.#options.clock.now(),
      hostNetwork: spec.hostNetwork,
      pid: 1,
      ...(spec.ip !== undefined && { ip: spec.ip }),
    });
    this.#hint(spec.pod.uid, id, 'start');
    return { id, pid: 1 };
  }

  stopSandbox(id: string): Promise<void> {
    for (const pod of this.#pods.values()) {
      const sandbox = pod.sandboxes.get(id);
      if (sandbox === undefined || !sandbox.ready) continue;
      const { pid: _, ...rest } = sandbox;
      pod.sandboxes.set(id, { ...rest, ready: false });
      this.#hint(pod.identity.uid, id, 'die');
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
    const createdAtMs = this.#options.clock.now();
    const state = {
      id,
      podUid: spec.pod.uid,
      name,
      attempt,
      specHash,
      image,
      imageId,
      sandboxId,
      backoffMs,
      graceSeconds,
    };
    pod.containers.set(id, { ...state, phase: 'created', createdAtMs });
    return Promise.resolve(id);
  }

  async startContainer(id: string): Promise<void> {
    await this.#options.clock.sleep(this.#options.containerStartMs ?? 20);
    const { pod, container } = this.#find(id);
    pod.containers.set(id, { ...container, phase: 'running', startedAtMs: this.#options.clock.now() });
    this.#hint(pod.identity.uid, id, 'start');
  }

  async stopContainer(id: string, graceMs: number): Promise<void> {
    const found = this.#lookUp(id);
    if (found === undefined || found.container.phase !== 'running') return;
    await this.#options.clock.sleep(Math.min(graceMs, this.#options.stopMs ?? 10));
    this.exit(id, 0);
  }

  /** Ends a container as if its process had exited; for simulations and tests. */
  exit(id: string, exitCode: number, reason = exitCode === 0 ? 'Completed' : 'Error'): void {
    const found = this.#lookUp(id);
    if (found === undefined || found.container.phase === 'exited') return;
    const { pod, container } = found;
    const finishedAtMs = this.#options.clock.now();
    const startedAtMs = container.startedAtMs ?? finishedAtMs;
    pod.containers.set(id, { ...container, phase: 'exited', startedAtMs, finishedAtMs, exitCode, reason });
    this.#hint(pod.identity.uid, id, 'die');
  }

  remove(id: string): Promise<void> {
    for (const pod of this.#pods.values()) {
      if (!pod.containers.delete(id) && !pod.sandboxes.delete(id)) continue;
      if (pod.containers.size === 0 && pod.sandboxes.size === 0) this.#pods.delete(pod.identity.uid);
      this.#hint(pod.identity.uid, id, 'destroy');
    }
    return Promise.resolve();
  }

  #lookUp(id: string): { readonly pod: HollowPod; readonly container: RuntimeContainer } | undefined {
    for (const pod of this.#pods.values()) {
      const container = pod.containers.get(id);
      if (container !== undefined) return { pod, container };
    }
    return undefined;
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
    return Promise.resolve([...this.#images.values()]);
  }

  pullImage(reference: string): Promise<void> {
    if (this.#options.missingImages?.has(reference) === true) {
      return Promise.reject(new RuntimeError('refused', `manifest for ${reference} not found: manifest unknown`));
    }
    this.#images.set(reference, {
      id: `hollow:${reference}`,
      reference: `hollow:${reference}`,
      names: [reference],
      sizeBytes: imageSizeBytes,
      user: '',
    });
    return Promise.resolve();
  }

  exec(containerId: string): Promise<ExecResult> {
    this.#find(containerId);
    return Promise.resolve({ exitCode: 0, output: '' });
  }

  openExec(containerId: string): Promise<Session> {
    this.#find(containerId);
    return Promise.resolve(emptySession());
  }

  attach(containerId: string): Promise<Session> {
    this.#find(containerId);
    return Promise.resolve(emptySession());
  }

  logs(containerId: string): Promise<Readable> {
    this.#find(containerId);
    return Promise.resolve(Readable.from([]));
  }

  usage(containerId: string): Promise<ContainerUsage | undefined> {
    if (this.#lookUp(containerId)?.container.phase !== 'running') return Promise.resolve(undefined);
    return Promise.resolve({ cpuNanos: 0, memoryBytes: 0, atMs: this.#options.clock.now() });
  }
}

function emptySession(): Session {
  return {
    stdin: new PassThrough().resume(),
    stdout: Readable.from([]),
    stderr: Readable.from([]),
    resize: () => Promise.resolve(),
    exitCode: () => Promise.resolve(0),
    close: () => undefined,
  };
}
