import type { Container, Pod } from '@wherry/api';

const seccompPod = 'seccomp.security.alpha.kubernetes.io/pod';
const seccompContainer = 'container.seccomp.security.alpha.kubernetes.io/';

/** Whether an update can turn a pod that was allowed into one that is not: most of a pod never changes. */
export function isSignificantUpdate(next: Pod, old: Pod): boolean {
  if (annotation(next, seccompPod) !== annotation(old, seccompPod)) {
    return true;
  }
  const lists = ['containers', 'initContainers'] as const;
  return (
    lists.some((list) => {
      const after = next.spec?.[list] ?? [];
      const before = old.spec?.[list] ?? [];
      return (
        after.length !== before.length ||
        after.some((container, index) => isSignificant(container, before[index], next, old))
      );
    }) ||
    (next.spec?.ephemeralContainers ?? []).some((container) => {
      const before = old.spec?.ephemeralContainers?.find(({ name }) => name === container.name);
      return isSignificant(container as Container, before as Container | undefined, next, old);
    })
  );
}

function isSignificant(next: Container, old: Container | undefined, pod: Pod, before: Pod): boolean {
  const key = `${seccompContainer}${next.name}`;
  return old === undefined || next.image !== old.image || annotation(pod, key) !== annotation(before, key);
}

function annotation({ metadata }: Pod, key: string): string | undefined {
  return metadata?.annotations?.[key];
}
