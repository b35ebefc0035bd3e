// What the container runtime says about a pod, as plain values: the input of every plan in this folder.

export type ContainerPhase = 'created' | 'running' | 'exited' | 'unknown';

export interface RuntimeContainer {
  readonly id: string;
  readonly podUid: string;
  readonly name: string;
  /** How often this container of the pod was started before; upstream's restart count. */
  readonly attempt: number;
  /** `containerHash` of the spec it was made from. */
  readonly specHash: string;
  readonly phase: ContainerPhase;
  readonly createdAtMs: number;
  readonly startedAtMs?: number;
  readonly finishedAtMs?: number;
  readonly exitCode?: number;
  /** `Completed`, `Error`, `OOMKilled`, `StartError`; set once it has exited. */
  readonly reason?: string;
  /** Termination message, or why the runtime could not start it. */
  readonly message?: string;
  /** The image as the pod asked for it. */
  readonly image: string;
  readonly imageId: string;
  readonly sandboxId: string;
  /** Crash back-off that was in force when it was started; 0 for a first start. */
  readonly backoffMs: number;
  /** Grace period of the pod when it was made: all that is known of a pod that has gone from the API. */
  readonly graceSeconds: number;
}

export interface RuntimeSandbox {
  readonly id: string;
  readonly podUid: string;
  readonly attempt: number;
  readonly ready: boolean;
  readonly createdAtMs: number;
  /** Address that was assigned to it; absent for pods on the host's network. */
  readonly ip?: string;
  readonly hostNetwork: boolean;
  readonly pid?: number;
}

/** One pod as the runtime knows it. Both lists are sorted newest first. */
export interface RuntimePod {
  readonly uid: string;
  readonly name: string;
  readonly namespace: string;
  readonly sandboxes: readonly RuntimeSandbox[];
  readonly containers: readonly RuntimeContainer[];
}

export function emptyRuntimePod(uid: string, name: string, namespace: string): RuntimePod {
  return { uid, name, namespace, sandboxes: [], containers: [] };
}

/** The newest container of that name; undefined if the runtime has none. */
export function latestContainer(runtime: RuntimePod, name: string): RuntimeContainer | undefined {
  return runtime.containers.find((container) => container.name === name);
}

/** The sandbox that containers may join; undefined if none is ready. */
export function readySandbox(runtime: RuntimePod): RuntimeSandbox | undefined {
  return runtime.sandboxes.find((sandbox) => sandbox.ready);
}
