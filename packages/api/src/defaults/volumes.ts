// Defaults of volumes, in pods and as PersistentVolumes.
import type { PersistentVolumeClaimSpec, PersistentVolumeSpec, Volume, VolumeProjection } from '../generated/types.ts';
import type { Draft } from './draft.ts';
import { defaultPullPolicy } from './image.ts';
import { roundResources } from './resource-list.ts';

const fileMode = 0o644;

export function defaultVolume(volume: Draft<Volume>): void {
  if (Object.keys(volume).every((key) => key === 'name')) volume.emptyDir = {};
  for (const source of [volume.secret, volume.configMap, volume.downwardAPI, volume.projected]) {
    if (source !== undefined) source.defaultMode ??= fileMode;
  }
  if (volume.image !== undefined) volume.image.pullPolicy ||= defaultPullPolicy(volume.image.reference);
  for (const item of volume.downwardAPI?.items ?? []) {
    if (item.fieldRef !== undefined) item.fieldRef.apiVersion ||= 'v1';
  }
  for (const source of volume.projected?.sources ?? []) defaultProjection(source);
  if (volume.ephemeral?.volumeClaimTemplate !== undefined) {
    defaultClaimSpec(volume.ephemeral.volumeClaimTemplate.spec);
  }
  defaultSource(volume);
}

function defaultProjection(source: Draft<VolumeProjection>): void {
  if (source.serviceAccountToken !== undefined) source.serviceAccountToken.expirationSeconds ??= 3600;
  for (const item of source.downwardAPI?.items ?? []) {
    if (item.fieldRef !== undefined) item.fieldRef.apiVersion ||= 'v1';
  }
}

export function defaultPersistentVolumeSpec(spec: Draft<PersistentVolumeSpec>): void {
  spec.persistentVolumeReclaimPolicy ||= 'Retain';
  spec.volumeMode ??= 'Filesystem';
  roundResources(spec.capacity);
  defaultSource(spec);
}

export function defaultClaimSpec(spec: Draft<PersistentVolumeClaimSpec>): void {
  spec.volumeMode ??= 'Filesystem';
  roundResources(spec.resources?.limits);
  roundResources(spec.resources?.requests);
}

/** Sources that pods and PersistentVolumes share. */
function defaultSource(source: Draft<Volume> | Draft<PersistentVolumeSpec>): void {
  const { hostPath, iscsi, rbd, azureDisk, scaleIO } = source;
  if (hostPath !== undefined) hostPath.type ??= '';
  if (iscsi !== undefined) iscsi.iscsiInterface ||= 'default';
  if (rbd !== undefined) {
    rbd.pool ||= 'rbd';
    rbd.user ||= 'admin';
    rbd.keyring ||= '/etc/ceph/keyring';
  }
  if (azureDisk !== undefined) {
    azureDisk.cachingMode ??= 'ReadWrite';
    azureDisk.kind ??= 'Shared';
    azureDisk.fsType ??= 'ext4';
    azureDisk.readOnly ??= false;
  }
  if (scaleIO !== undefined) {
    scaleIO.storageMode ||= 'ThinProvisioned';
    scaleIO.fsType ||= 'xfs';
  }
}
