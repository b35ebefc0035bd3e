import { controllerOf, type Pod } from '@wherry/api';

export interface DrainOptions {
  readonly ignoreDaemonSets: boolean;
  readonly deleteEmptyDirData: boolean;
  readonly force: boolean;
  /** Pods that have been ending for longer are not waited for; 0 waits for all. */
  readonly skipWaitSeconds: number;
  readonly nowMs: number;
  /** Whether the object that owns a pod is still there. */
  readonly ownerExists: (pod: Pod) => boolean;
}

export type Verdict =
  | { readonly kind: 'evict'; readonly warning?: string }
  | { readonly kind: 'leave'; readonly warning?: string }
  /** What kubectl says of it: `cannot delete …`. */
  | { readonly kind: 'refuse'; readonly reason: string };

const MIRROR = 'kubernetes.io/config.mirror';

/** What draining its node does with a pod. */
export function verdictOf(pod: Pod, options: DrainOptions): Verdict {
  const { metadata, spec, status } = pod;
  const isFinished = status?.phase === 'Succeeded' || status?.phase === 'Failed';
  if (metadata?.annotations?.[MIRROR] !== undefined) return { kind: 'leave' };
  const owner = controllerOf(metadata);
  if (owner?.kind === 'DaemonSet' && !isFinished) {
    if (!options.ownerExists(pod)) {
      return options.force
        ? { kind: 'evict', warning: 'deleting Pods that declare no controller' }
        : { kind: 'refuse', reason: 'cannot delete Pods declare no controller (use --force to override)' };
    }
    return options.ignoreDaemonSets
      ? { kind: 'leave', warning: 'ignoring DaemonSet-managed Pods' }
      : { kind: 'refuse', reason: 'cannot delete DaemonSet-managed Pods (use --ignore-daemonsets to ignore)' };
  }
  if (metadata?.deletionTimestamp !== undefined && options.skipWaitSeconds > 0) {
    const endingSeconds = (options.nowMs - Date.parse(metadata.deletionTimestamp)) / 1000;
    if (endingSeconds > options.skipWaitSeconds) return { kind: 'leave' };
  }
  const hasLocalData = spec?.volumes?.some(({ emptyDir }) => emptyDir !== undefined) === true && !isFinished;
  if (hasLocalData && !options.deleteEmptyDirData) {
    return { kind: 'refuse', reason: 'cannot delete Pods with local storage (use --delete-emptydir-data to override)' };
  }
  const localWarning = hasLocalData ? { warning: 'deleting Pods with local storage' } : {};
  if (owner === undefined && !isFinished) {
    if (!options.force)
      return { kind: 'refuse', reason: 'cannot delete Pods that declare no controller (use --force to override)' };
    return { kind: 'evict', warning: 'deleting Pods that declare no controller' };
  }
  return { kind: 'evict', ...localWarning };
}
