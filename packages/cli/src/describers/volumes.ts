import type { Volume } from '@wherry/api';
import type { Outline } from './outline.ts';

export function describeVolumes(outline: Outline, volumes: readonly Volume[] | undefined, isTemplate: boolean): void {
  if (volumes === undefined || volumes.length === 0) {
    outline.field('Volumes', '<none>');
    return;
  }
  outline.row('Volumes:');
  for (const volume of volumes) {
    outline.inner(isTemplate ? ' ' : '  ').row(`${volume.name}:`);
    describeSource(outline.inner(isTemplate ? '  ' : '    '), volume);
  }
}

/** Where a volume comes from. Persistent volumes name their sources with the same fields. */
export function describeSource(outline: Outline, volume: Volume): void {
  const { hostPath, emptyDir, secret, configMap, persistentVolumeClaim, projected, downwardAPI, nfs, csi } = volume;
  if (hostPath !== undefined) {
    outline
      .field('Type', 'HostPath (bare host directory volume)')
      .field('Path', hostPath.path)
      .field('HostPathType', hostPath.type ?? '');
  } else if (emptyDir !== undefined) {
    outline
      .field('Type', "EmptyDir (a temporary directory that shares a pod's lifetime)")
      .field('Medium', emptyDir.medium ?? '')
      .field('SizeLimit', emptyDir.sizeLimit ?? '<unset>');
  } else if (secret !== undefined) {
    outline
      .field('Type', 'Secret (a volume populated by a Secret)')
      .field('SecretName', secret.secretName ?? '')
      .field('Optional', secret.optional === true);
  } else if (configMap !== undefined) {
    outline
      .field('Type', 'ConfigMap (a volume populated by a ConfigMap)')
      .field('Name', configMap.name ?? '')
      .field('Optional', configMap.optional === true);
  } else if (persistentVolumeClaim !== undefined) {
    outline
      .field('Type', 'PersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)')
      .field('ClaimName', persistentVolumeClaim.claimName)
      .field('ReadOnly', persistentVolumeClaim.readOnly === true);
  } else if (projected !== undefined) describeProjected(outline, projected);
  else if (downwardAPI !== undefined) {
    outline.field('Type', 'DownwardAPI (a volume populated by information about the pod)').block('Items', (inner) => {
      for (const { path, fieldRef, resourceFieldRef } of downwardAPI.items ?? []) {
        inner.row(`${fieldRef?.fieldPath ?? resourceFieldRef?.resource ?? ''} -> ${path}`);
      }
    });
  } else if (nfs !== undefined) {
    outline
      .field('Type', 'NFS (an NFS mount that lasts the lifetime of a pod)')
      .field('Server', nfs.server)
      .field('Path', nfs.path)
      .field('ReadOnly', nfs.readOnly === true);
  } else if (csi !== undefined) {
    outline
      .field('Type', 'CSI (a Container Storage Interface (CSI) volume source)')
      .field('Driver', csi.driver)
      .field('FSType', csi.fsType ?? '')
      .field('ReadOnly', csi.readOnly === true);
  } else outline.row('<unknown>');
}

function describeProjected(outline: Outline, { sources = [] }: NonNullable<Volume['projected']>): void {
  outline.field('Type', 'Projected (a volume that contains injected data from multiple sources)');
  for (const { secret, configMap, downwardAPI, serviceAccountToken } of sources) {
    if (secret !== undefined) {
      outline.field('SecretName', secret.name ?? '').field('SecretOptionalName', String(secret.optional ?? '<nil>'));
    } else if (downwardAPI !== undefined) outline.field('DownwardAPI', true);
    else if (configMap !== undefined) {
      outline
        .field('ConfigMapName', configMap.name ?? '')
        .field('ConfigMapOptional', String(configMap.optional ?? '<nil>'));
    } else if (serviceAccountToken !== undefined) {
      outline.field('TokenExpirationSeconds', serviceAccountToken.expirationSeconds ?? 3600);
    }
  }
}
