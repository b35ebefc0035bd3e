// From the names in a URL to the container of the runtime they mean.
import type { Container, Pod } from '@wherry/api';
import type { RuntimeContainer, RuntimePod } from '../plan/runtime-state.ts';
import { HttpError } from './http-error.ts';

export interface PodDirectory {
  find(namespace: string, name: string): Pod | undefined;
  list(): readonly Pod[];
  runtimePod(uid: string): RuntimePod | undefined;
}

export interface FoundContainer {
  readonly pod: Pod;
  readonly spec: Container;
  readonly runtime: RuntimePod;
}

export function findPod(directory: PodDirectory, namespace: string, name: string): Pod {
  const pod = directory.find(namespace, name);
  if (pod === undefined) throw new HttpError(404, `pod "${name}" not found in namespace "${namespace}"`);
  return pod;
}

export function findContainer(
  directory: PodDirectory,
  namespace: string,
  podName: string,
  name: string,
): FoundContainer {
  const pod = findPod(directory, namespace, podName);
  const specs = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])];
  const spec = specs.find((container) => container.name === name);
  if (spec === undefined) throw new HttpError(404, `container not found ("${name}") in pod "${podName}"`);
  const uid = pod.metadata?.uid ?? '';
  const runtime = directory.runtimePod(uid) ?? { uid, name: podName, namespace, sandboxes: [], containers: [] };
  return { pod, spec, runtime };
}

export function runningContainer(found: FoundContainer): RuntimeContainer {
  const running = found.runtime.containers.find(({ name, phase }) => name === found.spec.name && phase === 'running');
  if (running === undefined) throw new HttpError(404, `container not found ("${found.spec.name}")`);
  return running;
}

/** The run whose log is meant. @throws HttpError with upstream's words when there is none */
export function loggedContainer(found: FoundContainer, previous: boolean): RuntimeContainer {
  const name = found.spec.name;
  const podName = found.pod.metadata?.name ?? '';
  const begun = found.runtime.containers.filter((one) => one.name === name && one.phase !== 'created');
  const statuses = [...(found.pod.status?.containerStatuses ?? []), ...(found.pod.status?.initContainerStatuses ?? [])];
  const waits = statuses.find((status) => status.name === name)?.state?.waiting !== undefined;
  // While a container waits to be restarted, the run that ended last is its previous one and all it has to show.
  const answer = begun[previous && !waits ? 1 : 0];
  if (answer !== undefined) return answer;
  if (previous) throw new HttpError(400, `previous terminated container "${name}" in pod "${podName}" not found`);
  const reason = statuses.find((status) => status.name === name)?.state?.waiting?.reason ?? 'ContainerCreating';
  const pulling = reason === 'ErrImagePull' || reason === 'ImagePullBackOff';
  const trouble = pulling ? 'trying and failing to pull image' : reason;
  throw new HttpError(400, `container "${name}" in pod "${podName}" is waiting to start: ${trouble}`);
}
