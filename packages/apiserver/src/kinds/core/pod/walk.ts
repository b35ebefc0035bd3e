import type { Container, EphemeralContainer, PodSpec } from '@wherry/api';

export type AnyContainer = Container | EphemeralContainer;

/** Calls `visit` for init, regular and ephemeral containers in this order, with each one's path below `path`. */
export function eachContainer(
  spec: PodSpec,
  path: string,
  visit: (container: AnyContainer, containerPath: string) => void,
): void {
  visitAll(spec.initContainers, `${path}.initContainers`, visit);
  visitAll(spec.containers, `${path}.containers`, visit);
  visitAll(spec.ephemeralContainers, `${path}.ephemeralContainers`, visit);
}

/** Init containers that run beside the pod's own: they restart always and count as part of the pod. */
export function isSidecar(container: Container | undefined): boolean {
  return container?.restartPolicy === 'Always';
}

/** Names of ConfigMaps or Secrets, claims and the like are found by their owners; here only container names. */
export function hasContainer(spec: PodSpec, name: string): boolean {
  const named = (container: AnyContainer): boolean => container.name === name;
  return (
    spec.containers.some(named) ||
    (spec.initContainers ?? []).some(named) ||
    (spec.ephemeralContainers ?? []).some(named)
  );
}

function visitAll(
  containers: readonly AnyContainer[] | undefined,
  path: string,
  visit: (container: AnyContainer, containerPath: string) => void,
): void {
  if (containers === undefined) return;
  for (const [index, container] of containers.entries()) visit(container, `${path}[${index}]`);
}
