import type { PersistentVolumeClaim, Pod, PodTemplateSpec, StatefulSet, Volume } from '@wherry/api';
import type { Owner } from '../../pods/ownership.ts';
import { podFromTemplate } from '../../pods/template.ts';

const POD_NAME_LABEL = 'statefulset.kubernetes.io/pod-name';
const POD_INDEX_LABEL = 'apps.kubernetes.io/pod-index';
export const REVISION_LABEL = 'controller-revision-hash';

export function podName(set: StatefulSet, ordinal: number): string {
  return `${set.metadata?.name}-${ordinal}`;
}

/** The pod's ordinal; undefined when its name is not one the set gives. */
export function ordinalOf(set: StatefulSet, pod: Pod): number | undefined {
  const prefix = `${set.metadata?.name}-`;
  const name = pod.metadata?.name ?? '';
  const text = name.slice(prefix.length);
  return name.startsWith(prefix) && /^(0|[1-9]\d*)$/.test(text) ? Number(text) : undefined;
}

export function claimName(set: StatefulSet, template: PersistentVolumeClaim, ordinal: number): string {
  return `${template.metadata?.name}-${set.metadata?.name}-${ordinal}`;
}

export const claimTemplates = (set: StatefulSet): readonly PersistentVolumeClaim[] =>
  set.spec?.volumeClaimTemplates ?? [];

export function identityLabels(set: StatefulSet, ordinal: number): Readonly<Record<string, string>> {
  return { [POD_NAME_LABEL]: podName(set, ordinal), [POD_INDEX_LABEL]: String(ordinal) };
}

/** The pod of an ordinal: name, host name and volumes are its own and outlive it. */
export function buildPod(
  set: StatefulSet,
  owner: Owner,
  template: PodTemplateSpec,
  revision: string,
  ordinal: number,
): Pod {
  const pod = podFromTemplate(template, owner);
  const { generateName: _, ...metadata } = pod.metadata ?? {};
  const claims: readonly Volume[] = claimTemplates(set).map((claim) => ({
    name: claim.metadata?.name ?? '',
    persistentVolumeClaim: { claimName: claimName(set, claim, ordinal) },
  }));
  const ownNames = new Set(claims.map((volume) => volume.name));
  const others = (pod.spec?.volumes ?? []).filter((volume) => !ownNames.has(volume.name));
  const volumes = [...claims, ...others];
  const { serviceName = '' } = set.spec ?? {};
  return {
    ...pod,
    metadata: {
      ...metadata,
      name: podName(set, ordinal),
      labels: { ...metadata.labels, ...identityLabels(set, ordinal), [REVISION_LABEL]: revision },
    },
    spec: {
      ...(pod.spec ?? { containers: [] }),
      hostname: podName(set, ordinal),
      ...(serviceName !== '' && { subdomain: serviceName }),
      ...(volumes.length > 0 && { volumes }),
    },
  };
}

/** The claims a pod of this ordinal needs, as they are made when missing. */
export function buildClaims(set: StatefulSet, ordinal: number): readonly PersistentVolumeClaim[] {
  return claimTemplates(set).map((template) => ({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: {
      ...(template.metadata?.annotations !== undefined && { annotations: template.metadata.annotations }),
      name: claimName(set, template, ordinal),
      namespace: set.metadata?.namespace ?? '',
      labels: { ...template.metadata?.labels, ...set.spec?.selector.matchLabels },
    },
    ...(template.spec !== undefined && { spec: template.spec }),
  }));
}
