// The other adapters of a hollow node: nothing to wire, nothing to mount, nobody to ask, containers without insides.
import type { Wiring } from '../../network/wiring.ts';
import { cgroupNumbers } from '../../plan/cgroup.ts';
import { containerHash } from '../../plan/container-hash.ts';
import { hollowAnswer, hollowMistakes } from '../../plan/hollow-behaviour.ts';
import { podGraceSeconds } from '../../plan/termination.ts';
import type { ContainerInputs } from '../../pods/container-spec.ts';
import type { PodEvents } from '../../pods/pod-events.ts';
import type { References } from '../../pods/references.ts';
import type { HttpGet } from '../../probes/http-probe.ts';
import type { RunProbe } from '../../probes/prober.ts';
import type { PodVolumes } from '../../volumes/pod-volumes.ts';
import { type ContainerSpec, RuntimeError } from '../port.ts';
import type { HollowRuntime } from './hollow-runtime.ts';

export const hollowWiring: Wiring = {
  prepare: () => Promise.resolve(),
  attach: () => Promise.resolve(),
  detach: () => Promise.resolve(),
  setRoutes: () => Promise.resolve(),
  setRules: () => Promise.resolve(),
};

const noPaths = new Map<string, string>();

export const hollowVolumes: PodVolumes = {
  setUp: () => Promise.resolve(noPaths),
  tearDown: () => Promise.resolve(),
  pods: () => Promise.resolve([]),
};

/** Nothing reads ConfigMaps and Secrets, so a hollow node asks for none and needs no right to. */
export const hollowReferences: References = {
  configMap: () => Promise.resolve(undefined),
  secret: () => Promise.resolve(undefined),
};

export const hollowHttpGet: HttpGet = () => Promise.resolve({ status: 200, body: '', location: undefined });

/** Answers as the pod's annotations say. */
export function hollowProber(runtime: HollowRuntime): RunProbe {
  return async (_probe, { kind, containerId }) => {
    try {
      const { behaviour, ageMs } = runtime.inspect(containerId);
      return hollowAnswer(kind, behaviour, ageMs);
    } catch (error) {
      if (!(error instanceof RuntimeError)) throw error;
      return { kind: 'error', message: error.message };
    }
  };
}

const noEnvironment: ReadonlyMap<string, string> = new Map();
const noSecurity: ContainerSpec['security'] = {
  user: undefined,
  group: undefined,
  supplementalGroups: [],
  nonRoot: false,
  privileged: false,
  readOnlyRoot: false,
  noNewPrivileges: false,
  addCapabilities: [],
  dropCapabilities: [],
  seccomp: 'unconfined',
};

/** What is remembered of a container; nothing that only a process would see is worked out. */
export function hollowSpec(inputs: ContainerInputs, events: PodEvents): Promise<ContainerSpec> {
  const { pod, container } = inputs;
  for (const mistake of hollowMistakes(pod)) events.pod(pod, 'Warning', 'InvalidHollowAnnotation', mistake);
  const { uid = '', name = '', namespace = '' } = pod.metadata ?? {};
  return Promise.resolve({
    pod: { uid, name, namespace },
    sandboxId: inputs.sandboxId,
    name: container.name,
    attempt: inputs.attempt,
    specHash: containerHash(container),
    backoffMs: inputs.backoffMs,
    graceSeconds: podGraceSeconds(pod),
    image: inputs.imageReference,
    imageId: inputs.image.reference,
    command: undefined,
    args: undefined,
    environment: noEnvironment,
    workingDir: undefined,
    mounts: [],
    cgroup: cgroupNumbers(pod, container, 0),
    security: noSecurity,
    tty: false,
    stdin: false,
    stdinOnce: false,
    stopSignal: undefined,
    processes: 'own',
    hostIpc: false,
  });
}
