// The port to whatever runs containers. Two implementations: `docker/` for real ones, `hollow/` for simulated nodes.
// They answer the same table of test cases (runtime-cases.ts).
import type { Readable, Writable } from 'node:stream';
import type { CgroupNumbers } from '../plan/cgroup.ts';
import type { RuntimePod } from '../plan/runtime-state.ts';
import type { EffectiveSecurity } from '../plan/security.ts';
import type { PodSource } from '../pods/pod-source.ts';

export interface PodIdentity {
  readonly uid: string;
  readonly name: string;
  readonly namespace: string;
}

export interface SandboxSpec {
  readonly pod: PodIdentity;
  readonly attempt: number;
  readonly hostname: string;
  readonly domain: string;
  readonly hostNetwork: boolean;
  readonly hostPid: boolean;
  readonly hostIpc: boolean;
  /** Address the network will give it; remembered by the runtime, so that a restarted kubelet knows it. */
  readonly ip: string | undefined;
  readonly sysctls: Readonly<Record<string, string>>;
  readonly graceSeconds: number;
}

export interface Mount {
  readonly hostPath: string;
  readonly containerPath: string;
  readonly readOnly: boolean;
  readonly propagation: 'private' | 'rslave' | 'rshared';
}

export interface ContainerSpec {
  readonly pod: PodIdentity;
  readonly sandboxId: string;
  readonly name: string;
  readonly attempt: number;
  readonly specHash: string;
  readonly backoffMs: number;
  readonly graceSeconds: number;
  readonly image: string;
  readonly imageId: string;
  /** Replaces the image's entrypoint, and then its default arguments too. */
  readonly command: readonly string[] | undefined;
  readonly args: readonly string[] | undefined;
  readonly environment: ReadonlyMap<string, string>;
  readonly workingDir: string | undefined;
  readonly mounts: readonly Mount[];
  readonly cgroup: CgroupNumbers;
  readonly security: EffectiveSecurity;
  readonly tty: boolean;
  readonly stdin: boolean;
  readonly stdinOnce: boolean;
  readonly stopSignal: string | undefined;
  /** Whose processes it sees. */
  readonly processes: 'own' | 'pod' | 'host';
  readonly hostIpc: boolean;
}

export interface ImageFacts {
  readonly id: string;
  /** What a status shows as imageID: a digest of the registry if there is one, else the local id. */
  readonly reference: string;
  readonly names: readonly string[];
  readonly sizeBytes: number;
  /** User the image asks for; empty for root. */
  readonly user: string;
}

/** Which container an image is pulled for. */
export interface PullPurpose {
  readonly pod: PodIdentity;
  readonly container: string;
}

export interface RegistryAuth {
  readonly username: string;
  readonly password: string;
  readonly serveraddress: string;
}

export interface LogOptions {
  readonly follow: boolean;
  readonly timestamps: boolean;
  readonly tailLines: number | undefined;
  readonly sinceMs: number | undefined;
}

export interface ExecOptions {
  readonly command: readonly string[];
  readonly tty: boolean;
  readonly stdin: boolean;
}

/** An interactive process, or the main one of a container when attached. */
export interface Session {
  readonly stdin: Writable;
  /** Ends when the process has ended. With a tty everything comes here. */
  readonly stdout: Readable;
  readonly stderr: Readable;
  resize(columns: number, rows: number): Promise<void>;
  /** Ask only after both outputs have ended. */
  exitCode(): Promise<number>;
  close(): void;
}

export interface ExecResult {
  readonly exitCode: number;
  /** Standard output and error together, cut to a limit. */
  readonly output: string;
}

export interface ContainerUsage {
  readonly cpuNanos: number;
  readonly memoryBytes: number;
  readonly atMs: number;
}

/** Something happened to a pod of this node. A hint only: read the state to learn what. */
export type RuntimeHint =
  | {
      readonly kind: 'container';
      readonly podUid: string;
      readonly id: string;
      readonly action: 'start' | 'die' | 'destroy';
    }
  /** Events may have been missed: look at everything. */
  | { readonly kind: 'resync' };

export interface Runtime {
  readonly name: 'docker' | 'hollow';
  /**
   * Called once, as soon as the API has said which pods there are and before anything is listed. A runtime without a
   * memory of its own takes over what these pods show.
   */
  follow?(pods: PodSource): void;
  /** For nodeInfo: `docker://20.10.24`. @throws when the runtime does not answer */
  version(): Promise<string>;
  /** Everything of this node, pods that the API has never heard of included. */
  list(): Promise<readonly RuntimePod[]>;
  pod(identity: PodIdentity): Promise<RuntimePod>;
  /** Calls back until the signal aborts; reconnects by itself. */
  watch(onHint: (hint: RuntimeHint) => void, signal: AbortSignal): Promise<void>;

  /** Creates and starts. @returns its id and the process whose namespaces others join */
  runSandbox(spec: SandboxSpec): Promise<{ readonly id: string; readonly pid: number }>;
  /** Kills what still runs in it. The sandbox stays listed until removed. */
  stopSandbox(id: string): Promise<void>;
  createContainer(spec: ContainerSpec): Promise<string>;
  /** @throws RuntimeError `start` when the runtime refuses, for example because the command does not exist */
  startContainer(id: string): Promise<void>;
  /** Signals, waits at most the grace period, kills. Resolves when it has ended. */
  stopContainer(id: string, graceMs: number): Promise<void>;
  /** Removes a container or sandbox, killing it if it runs. Not being there is success. */
  remove(id: string): Promise<void>;

  image(reference: string): Promise<ImageFacts | undefined>;
  images(): Promise<readonly ImageFacts[]>;
  pullImage(reference: string, auth: RegistryAuth | undefined, signal: AbortSignal, wanted: PullPurpose): Promise<void>;

  /** Runs to its end. @throws RuntimeError `timeout` */
  exec(containerId: string, command: readonly string[], timeoutMs: number): Promise<ExecResult>;
  openExec(containerId: string, options: ExecOptions): Promise<Session>;
  attach(containerId: string, options: { readonly tty: boolean; readonly stdin: boolean }): Promise<Session>;
  /** Standard output and error in the order they were written. */
  logs(containerId: string, options: LogOptions, signal: AbortSignal): Promise<Readable>;
  usage(containerId: string): Promise<ContainerUsage | undefined>;
}

export type RuntimeFailure = 'start' | 'timeout' | 'not-found' | 'refused';

/** The runtime said no; its own words are in the message. */
export class RuntimeError extends Error {
  readonly failure: RuntimeFailure;
  constructor(failure: RuntimeFailure, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'RuntimeError';
    this.failure = failure;
  }
}
