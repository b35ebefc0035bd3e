import type {
  ConfigMapVolumeSource,
  DownwardAPIVolumeSource,
  EphemeralVolumeSource,
  ImageVolumeSource,
  SecretVolumeSource,
  Volume,
} from '@wherry/api';
import { checkDnsLabel, checkRange, checkRequired, checkSupported } from '../../checks.ts';
import { duplicate, type Findings, forbidden, invalid, required } from '../../findings.ts';
import { dns1123Subdomain } from '../../names.ts';
import { isNegativeQuantity } from '../../quantities.ts';
import { checkClaimTemplate } from '../claim-spec.ts';
import {
  checkFibreChannel,
  checkFlocker,
  checkHostPath,
  checkInlineCsi,
  checkIscsi,
  checkNfs,
  checkRequiredFields,
} from '../volume-sources.ts';
import { checkDownwardFile, checkKeysToPaths, checkMode } from './files.ts';
import type { VolumesByName } from './mounts.ts';
import { checkDescendingPath } from './paths.ts';
import { checkProjected } from './projected.ts';

const pullPolicies = ['Always', 'IfNotPresent', 'Never'];
const iscsiNameLengthMax = 64;

type SourceField = Exclude<keyof Volume, 'name'>;
type Check<F extends SourceField> = (findings: Findings, source: NonNullable<Volume[F]>, path: string) => void;
type Checks = { readonly [F in SourceField]: Check<F> };

/** In upstream's order, which decides which of two sources is the one too many. */
const checks: Checks = {
  emptyDir: (findings, source, path) => {
    if (source.sizeLimit === undefined || !isNegativeQuantity(source.sizeLimit)) return;
    findings.push(forbidden(`${path}.sizeLimit`, 'SizeLimit field must be a valid resource quantity'));
  },
  hostPath: checkHostPath,
  gitRepo: (findings, source, path) => {
    checkRequired(findings, source.repository, `${path}.repository`);
    if (source.directory) checkDescendingPath(findings, source.directory, `${path}.directory`);
  },
  gcePersistentDisk: other('gcePersistentDisk'),
  awsElasticBlockStore: other('awsElasticBlockStore'),
  secret: checkSecret,
  nfs: checkNfs,
  iscsi: checkIscsi,
  glusterfs: other('glusterfs'),
  flocker: (findings, source, path) => checkFlocker(findings, { ...source }, path),
  persistentVolumeClaim: (findings, source, path) => {
    checkRequired(findings, source.claimName, `${path}.claimName`);
  },
  rbd: other('rbd'),
  cinder: other('cinder'),
  cephfs: other('cephfs'),
  quobyte: other('quobyte'),
  downwardAPI: checkDownward,
  fc: (findings, source, path) => checkFibreChannel(findings, { ...source }, path),
  flexVolume: other('flexVolume'),
  configMap: checkConfigMap,
  azureFile: other('azureFile'),
  vsphereVolume: other('vsphereVolume'),
  photonPersistentDisk: other('photonPersistentDisk'),
  portworxVolume: other('portworxVolume'),
  azureDisk: other('azureDisk'),
  storageos: other('storageos'),
  projected: checkProjected,
  scaleIO: other('scaleIO'),
  csi: checkInlineCsi,
  ephemeral: checkEphemeral,
  image: checkImageVolume,
};

const sourceFields = Object.keys(checks) as SourceField[];
/** Upstream's words for the extra source, where they are not the field's name. */
const extraNames: Readonly<Partial<Record<SourceField, string>>> = { cephfs: 'cephFS', downwardAPI: 'downwarAPI' };

const noVolumes: VolumesByName = new Map();

/** Checks spec.volumes and returns the good ones by name. `podName` is undefined in a template. */
export function checkVolumes(
  findings: Findings,
  volumes: readonly Volume[] | undefined,
  podName: string | undefined,
  path: string,
): VolumesByName {
  if (volumes === undefined || volumes.length === 0) return noVolumes;
  const byName = new Map<string, Volume>();
  for (let i = 0; i < volumes.length; i++) {
    const volume = volumes[i];
    if (volume === undefined) continue;
    const at = `${path}[${i}]`;
    const before = findings.length;
    checkSource(findings, volume, podName, at);
    if (checkRequired(findings, volume.name, `${at}.name`)) checkDnsLabel(findings, volume.name, `${at}.name`);
    if (byName.has(volume.name)) findings.push(duplicate(`${at}.name`, volume.name));
    if (findings.length === before) byName.set(volume.name, volume);
  }
  if (podName !== undefined) checkCreatedClaims(findings, volumes, podName, path);
  return byName;
}

function checkSource(findings: Findings, volume: Volume, podName: string | undefined, path: string): void {
  let count = 0;
  for (const field of sourceFields) {
    if (volume[field] === undefined) continue;
    count++;
    if (count === 1) checkOne(findings, volume, field, `${path}.${field}`);
    else findings.push(forbidden(`${path}.${extraNames[field] ?? field}`, 'may not specify more than 1 volume type'));
  }
  if (count === 0) findings.push(required(path, 'must specify a volume type'));
  const target = volume.iscsi;
  if (target?.initiatorName !== undefined && `${volume.name}:${target.targetPortal}`.length > iscsiNameLengthMax) {
    const detail =
      'Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified.';
    findings.push(invalid(`${path}.name`, volume.name, detail));
  }
  if (volume.ephemeral !== undefined && podName && volume.name) {
    const claimName = `${podName}-${volume.name}`;
    for (const message of dns1123Subdomain(claimName)) {
      findings.push(invalid(`${path}.name`, volume.name, `PVC name "${claimName}": ${message}`));
    }
  }
}

function checkOne<F extends SourceField>(findings: Findings, volume: Volume, field: F, path: string): void {
  const source = volume[field];
  if (source !== undefined) checks[field](findings, source, path);
}

/** A claim that the pod's own generic ephemeral volume creates must not be used a second time by name. */
function checkCreatedClaims(findings: Findings, volumes: readonly Volume[], podName: string, path: string): void {
  const created = new Set<string>();
  for (const volume of volumes) if (volume.ephemeral !== undefined) created.add(`${podName}-${volume.name}`);
  if (created.size === 0) return;
  for (const [index, volume] of volumes.entries()) {
    const claimName = volume.persistentVolumeClaim?.claimName;
    if (claimName === undefined || !created.has(claimName)) continue;
    const at = `${path}[${index}].persistentVolumeClaim.claimName`;
    findings.push(invalid(at, claimName, 'must not reference a PVC that gets created for an ephemeral volume'));
  }
}

function checkSecret(findings: Findings, source: SecretVolumeSource, path: string): void {
  checkRequired(findings, source.secretName, `${path}.secretName`);
  checkMode(findings, source.defaultMode, `${path}.defaultMode`);
  checkKeysToPaths(findings, source.items, `${path}.items`);
}

function checkConfigMap(findings: Findings, source: ConfigMapVolumeSource, path: string): void {
  checkRequired(findings, source.name, `${path}.name`);
  checkMode(findings, source.defaultMode, `${path}.defaultMode`);
  checkKeysToPaths(findings, source.items, `${path}.items`);
}

function checkDownward(findings: Findings, source: DownwardAPIVolumeSource, path: string): void {
  checkMode(findings, source.defaultMode, `${path}.defaultMode`);
  // Upstream names the source, not the entry.
  for (const file of source.items ?? []) checkDownwardFile(findings, file, path);
}

function checkEphemeral(findings: Findings, source: EphemeralVolumeSource, path: string): void {
  const template = source.volumeClaimTemplate;
  if (template === undefined) findings.push(required(`${path}.volumeClaimTemplate`, ''));
  else checkClaimTemplate(findings, template, `${path}.volumeClaimTemplate`);
}

function checkImageVolume(findings: Findings, source: ImageVolumeSource, path: string): void {
  checkRequired(findings, source.reference, `${path}.reference`);
  if (checkRequired(findings, source.pullPolicy, `${path}.pullPolicy`)) {
    checkSupported(findings, source.pullPolicy, pullPolicies, `${path}.pullPolicy`);
  }
}

function other(kind: string): (findings: Findings, source: object, path: string) => void {
  const check = checkRequiredFields(kind);
  return (findings, source, path) => {
    check(findings, { ...source }, path);
    if ('partition' in source && typeof source.partition === 'number') {
      checkRange(findings, source.partition, 0, 255, `${path}.partition`);
    }
  };
}
