import type { Container, ObjectMeta, PodSpec } from '@wherry/api';

/** What a check has against a pod. */
export interface PodFinding {
  /** Short, for lists of pods. */
  readonly reason: string;
  /** With names and values; '' when there is no more to say. */
  readonly detail: string;
}

export type PodCheck = (spec: PodSpec, metadata: ObjectMeta) => PodFinding | undefined;

/** Init, ordinary and ephemeral containers, as far as checks look at them. */
export function everyContainer(spec: PodSpec): readonly Container[] {
  const { initContainers, containers, ephemeralContainers } = spec;
  if (initContainers === undefined && ephemeralContainers === undefined) {
    return containers;
  }
  return [...(initContainers ?? []), ...containers, ...((ephemeralContainers ?? []) as readonly Container[])];
}

export function quoted(items: Iterable<string>): string {
  return `"${[...items].join('", "')}"`;
}

export function sortedOnce(items: Iterable<string>): readonly string[] {
  return [...new Set(items)].sort();
}

/** `container "a"`, `containers "a", "b"`. */
export function containersText(names: readonly string[]): string {
  return `${plural('container', names.length)} ${quoted(names)}`;
}

export function plural(word: string, count: number): string {
  return count === 1 ? word : `${word}s`;
}

/** The pod itself, its containers or both, as those who set something. */
export function settersText(pod: boolean, containers: readonly string[]): string {
  const parts = [...(pod ? ['pod'] : []), ...(containers.length > 0 ? [containersText(containers)] : [])];
  return parts.join(' and ');
}

export function namesWhere(spec: PodSpec, isBad: (container: Container) => boolean): readonly string[] {
  const names: string[] = [];
  for (const container of everyContainer(spec)) {
    if (isBad(container)) {
      names.push(container.name);
    }
  }
  return names;
}

/** Pods in a user namespace of their own are no root outside of it. */
export function hasOwnUsers(spec: PodSpec): boolean {
  return spec.hostUsers === false;
}

export function isWindows(spec: PodSpec): boolean {
  return spec.os?.name === 'windows';
}
