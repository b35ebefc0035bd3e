// The effective security settings of a container: its own, else the pod's.
import type { Container, Pod } from '@wherry/api';

export interface EffectiveSecurity {
  readonly user: number | undefined;
  readonly group: number | undefined;
  readonly supplementalGroups: readonly number[];
  readonly nonRoot: boolean;
  readonly privileged: boolean;
  readonly readOnlyRoot: boolean;
  readonly noNewPrivileges: boolean;
  readonly addCapabilities: readonly string[];
  readonly dropCapabilities: readonly string[];
  readonly seccomp: 'runtime' | 'unconfined';
}

export function effectiveSecurity(pod: Pod, container: Container): EffectiveSecurity {
  const ofPod = pod.spec?.securityContext;
  const own = container.securityContext;
  const profile = own?.seccompProfile ?? ofPod?.seccompProfile;
  const groups = [...(ofPod?.supplementalGroups ?? []), ...(ofPod?.fsGroup !== undefined ? [ofPod.fsGroup] : [])];
  return {
    user: own?.runAsUser ?? ofPod?.runAsUser,
    group: own?.runAsGroup ?? ofPod?.runAsGroup,
    supplementalGroups: [...new Set(groups)],
    nonRoot: own?.runAsNonRoot ?? ofPod?.runAsNonRoot ?? false,
    privileged: own?.privileged ?? false,
    readOnlyRoot: own?.readOnlyRootFilesystem ?? false,
    noNewPrivileges: own?.allowPrivilegeEscalation === false,
    addCapabilities: own?.capabilities?.add ?? [],
    dropCapabilities: own?.capabilities?.drop ?? [],
    seccomp: profile?.type === 'RuntimeDefault' ? 'runtime' : 'unconfined',
  };
}

/**
 * Why `runAsNonRoot` forbids this container, given the user its image names; undefined if it may run.
 * The words are upstream's.
 */
export function nonRootViolation(security: EffectiveSecurity, imageUser: string): string | undefined {
  if (!security.nonRoot) return undefined;
  if (security.user !== undefined) {
    return security.user === 0 ? "container's runAsUser breaks non-root policy" : undefined;
  }
  const name = imageUser.split(':')[0] ?? '';
  if (name === '' || name === '0') return 'container has runAsNonRoot and image will run as root';
  if (!/^\d+$/.test(name)) {
    return `container has runAsNonRoot and image has non-numeric user (${name}), cannot verify user is non-root`;
  }
  return undefined;
}
