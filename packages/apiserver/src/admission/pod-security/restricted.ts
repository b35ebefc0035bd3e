// The checks of the restricted level (Pod Security Standards): good practice, required.
import type { Volume } from '@wherry/api';
import {
  containersText,
  hasOwnUsers,
  isWindows,
  namesWhere,
  type PodCheck,
  plural,
  quoted,
  settersText,
  sortedOnce,
} from './finding.ts';

function unlessWindows(check: PodCheck): PodCheck {
  return (spec, metadata) => (isWindows(spec) ? undefined : check(spec, metadata));
}

function unlessOwnUsers(check: PodCheck): PodCheck {
  return (spec, metadata) => (hasOwnUsers(spec) ? undefined : check(spec, metadata));
}

export const privilegeEscalation: PodCheck = (spec) => {
  const containers = namesWhere(spec, ({ securityContext }) => securityContext?.allowPrivilegeEscalation !== false);
  if (containers.length === 0) return undefined;
  return {
    reason: 'allowPrivilegeEscalation != false',
    detail: `${containersText(containers)} must set securityContext.allowPrivilegeEscalation=false`,
  };
};
export const privilegeEscalationOnLinux = unlessWindows(privilegeEscalation);

export const capabilities: PodCheck = (spec) => {
  const keeping = namesWhere(
    spec,
    ({ securityContext }) => securityContext?.capabilities?.drop?.includes('ALL') !== true,
  );
  const forbidden = new Set<string>();
  const adding = namesWhere(spec, ({ securityContext }) => {
    const added = (securityContext?.capabilities?.add ?? []).filter((name) => name !== 'NET_BIND_SERVICE');
    for (const name of added) forbidden.add(name);
    return added.length > 0;
  });
  const details = [
    ...(keeping.length > 0 ? [`${containersText(keeping)} must set securityContext.capabilities.drop=["ALL"]`] : []),
    ...(adding.length > 0
      ? [
          `${containersText(adding)} must not include ${quoted(sortedOnce(forbidden))} in securityContext.capabilities.add`,
        ]
      : []),
  ];
  return details.length === 0 ? undefined : { reason: 'unrestricted capabilities', detail: details.join('; ') };
};
export const capabilitiesOnLinux = unlessWindows(capabilities);

const ordinaryVolumes = [
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'persistentVolumeClaim',
  'projected',
  'secret',
] as const satisfies readonly (keyof Volume)[];

export const volumes: PodCheck = (spec) => {
  const bad = (spec.volumes ?? []).filter((volume) => ordinaryVolumes.every((type) => volume[type] === undefined));
  if (bad.length === 0) return undefined;
  const types = sortedOnce(bad.map(typeOf));
  const uses = bad.length === 1 ? 'uses' : 'use';
  const named = `${plural('volume', bad.length)} ${quoted(bad.map(({ name }) => name))}`;
  return {
    reason: 'restricted volume types',
    detail: `${named} ${uses} ${plural('restricted volume type', types.length)} ${quoted(types)}`,
  };
};

/** Upstream has no name for images here. */
function typeOf(volume: Volume): string {
  return Object.keys(volume).find((key) => key !== 'name' && key !== 'image') ?? 'unknown';
}

export const runAsNonRoot: PodCheck = (spec) => {
  const forAll = spec.securityContext?.runAsNonRoot;
  const refusing = namesWhere(spec, ({ securityContext }) => securityContext?.runAsNonRoot === false);
  if (forAll === false || refusing.length > 0) {
    const setters = settersText(forAll === false, refusing);
    return { reason: 'runAsNonRoot != true', detail: `${setters} must not set securityContext.runAsNonRoot=false` };
  }
  const silent =
    forAll === true ? [] : namesWhere(spec, ({ securityContext }) => securityContext?.runAsNonRoot === undefined);
  if (silent.length === 0) return undefined;
  return {
    reason: 'runAsNonRoot != true',
    detail: `pod or ${containersText(silent)} must set securityContext.runAsNonRoot=true`,
  };
};
export const runAsNonRootWithUsers = unlessOwnUsers(runAsNonRoot);

export const runAsUser: PodCheck = (spec) => {
  const isBadPod = spec.securityContext?.runAsUser === 0;
  const containers = namesWhere(spec, ({ securityContext }) => securityContext?.runAsUser === 0);
  if (!isBadPod && containers.length === 0) return undefined;
  return { reason: 'runAsUser=0', detail: `${settersText(isBadPod, containers)} must not set runAsUser=0` };
};
export const runAsUserWithUsers = unlessOwnUsers(runAsUser);

const goodProfiles = new Set(['RuntimeDefault', 'Localhost']);

export const seccomp: PodCheck = (spec) => {
  const values = new Set<string>();
  const isBad = (type: string | undefined): boolean => {
    const bad = type !== undefined && !goodProfiles.has(type);
    if (bad) values.add(type);
    return bad;
  };
  const forAll = spec.securityContext?.seccompProfile?.type;
  const isBadPod = isBad(forAll);
  const refusing = namesWhere(spec, ({ securityContext }) => isBad(securityContext?.seccompProfile?.type));
  if (isBadPod || refusing.length > 0) {
    const setters = settersText(isBadPod, refusing);
    const types = quoted(sortedOnce(values));
    return {
      reason: 'seccompProfile',
      detail: `${setters} must not set securityContext.seccompProfile.type to ${types}`,
    };
  }
  const silent =
    forAll === undefined
      ? namesWhere(spec, ({ securityContext }) => securityContext?.seccompProfile === undefined)
      : [];
  if (silent.length === 0) return undefined;
  return {
    reason: 'seccompProfile',
    detail: `pod or ${containersText(silent)} must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"`,
  };
};
export const seccompOnLinux = unlessWindows(seccomp);
