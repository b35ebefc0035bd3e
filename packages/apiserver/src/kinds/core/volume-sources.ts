// Rules of single volume sources, shared by the volumes of pods and by PersistentVolumes.
import type { CSIVolumeSource, HostPathVolumeSource, ISCSIVolumeSource, NFSVolumeSource } from '@wherry/api';
import { checkName, checkRange, checkRequired, checkSupported } from '../checks.ts';
import { type Findings, invalid, required, tooLong } from '../findings.ts';
import { dns1123Subdomain } from '../names.ts';
import { checkNoBacksteps } from './pod/paths.ts';

export type SourceCheck = (findings: Findings, source: Source, path: string) => void;
/** A source read by field name: which of its many shapes it has is the table's business. */
export type Source = Readonly<Record<string, unknown>>;

const hostPathTypes = [
  '',
  'BlockDevice',
  'CharDevice',
  'Directory',
  'DirectoryOrCreate',
  'File',
  'FileOrCreate',
  'Socket',
];
const csiDriverNameLengthMax = 63;

export function checkHostPath(findings: Findings, source: HostPathVolumeSource, path: string): void {
  if (!checkRequired(findings, source.path, `${path}.path`)) return;
  checkNoBacksteps(findings, source.path, `${path}.path`);
  checkSupported(findings, source.type, hostPathTypes, `${path}.type`);
}

export function checkNfs(findings: Findings, source: NFSVolumeSource, path: string): void {
  checkRequired(findings, source.server, `${path}.server`);
  checkRequired(findings, source.path, `${path}.path`);
  if (!source.path.startsWith('/')) findings.push(invalid(`${path}.path`, source.path, 'must be an absolute path'));
}

export function checkCsiDriverName(findings: Findings, name: string, path: string): void {
  if (!checkRequired(findings, name, path)) return;
  if (name.length > csiDriverNameLengthMax) findings.push(tooLong(path, '', csiDriverNameLengthMax));
  for (const message of dns1123Subdomain(name.toLowerCase())) findings.push(invalid(path, name, message));
}

export function checkInlineCsi(findings: Findings, source: CSIVolumeSource, path: string): void {
  checkCsiDriverName(findings, source.driver, `${path}.driver`);
  const secret = source.nodePublishSecretRef;
  if (secret === undefined) return;
  if (checkRequired(findings, secret.name, `${path}.nodePublishSecretRef.name`)) {
    checkName(findings, dns1123Subdomain, secret.name ?? '', `${path}.nodePublishSecretRef.name`);
  }
}

export function checkIscsi(
  findings: Findings,
  source: Omit<ISCSIVolumeSource, 'secretRef'> & { readonly secretRef?: unknown },
  path: string,
): void {
  checkRequired(findings, source.targetPortal, `${path}.targetPortal`);
  if (checkRequired(findings, source.iqn, `${path}.iqn`)) checkInitiator(findings, source.iqn, `${path}.iqn`);
  checkRange(findings, source.lun, 0, 255, `${path}.lun`);
  const usesChap = source.chapAuthDiscovery === true || source.chapAuthSession === true;
  if (usesChap && source.secretRef === undefined) findings.push(required(`${path}.secretRef`, ''));
  if (source.initiatorName !== undefined) checkInitiator(findings, source.initiatorName, `${path}.initiatorname`);
}

/** For sources of clouds and arrays that nobody here can mount: their required fields are all that is checked. */
export const requiredFieldsOf: Readonly<Record<string, readonly string[]>> = {
  gcePersistentDisk: ['pdName'],
  awsElasticBlockStore: ['volumeID'],
  glusterfs: ['endpoints', 'path'],
  rbd: ['monitors', 'image'],
  cinder: ['volumeID'],
  cephfs: ['monitors'],
  quobyte: ['registry', 'volume'],
  flexVolume: ['driver'],
  azureFile: ['secretName', 'shareName'],
  vsphereVolume: ['volumePath'],
  photonPersistentDisk: ['pdID'],
  portworxVolume: ['volumeID'],
  azureDisk: ['diskName', 'diskURI'],
  scaleIO: ['gateway', 'system', 'volumeName'],
  storageos: ['volumeName'],
};

export function checkRequiredFields(kind: string): SourceCheck {
  const fields = requiredFieldsOf[kind] ?? [];
  return (findings, source, path) => {
    for (const field of fields) {
      const value = source[field];
      const isMissing = value === undefined || value === '' || (Array.isArray(value) && value.length === 0);
      if (isMissing) findings.push(required(`${path}.${field}`, ''));
    }
  };
}

export function checkFlocker(findings: Findings, source: Source, path: string): void {
  if (!source['datasetName'] && !source['datasetUUID']) {
    findings.push(required(path, 'one of datasetName and datasetUUID is required'));
  }
  if (source['datasetName'] && source['datasetUUID']) {
    findings.push(invalid(path, 'resource', 'datasetName and datasetUUID can not be specified simultaneously'));
  }
}

export function checkFibreChannel(findings: Findings, source: Source, path: string): void {
  const hasNames = Array.isArray(source['targetWWNs']) && source['targetWWNs'].length > 0;
  const hasIds = Array.isArray(source['wwids']) && source['wwids'].length > 0;
  if (!hasNames && !hasIds) {
    findings.push(required(`${path}.targetWWNs`, 'must specify either targetWWNs or wwids, but not both'));
  }
  if (hasNames && hasIds) {
    findings.push(
      invalid(`${path}.targetWWNs`, source['targetWWNs'], 'targetWWNs and wwids can not be specified simultaneously'),
    );
  }
  if (hasNames && source['lun'] === undefined) {
    findings.push(required(`${path}.lun`, 'lun is required if targetWWNs is specified'));
  }
  if (hasNames && typeof source['lun'] === 'number') checkRange(findings, source['lun'], 0, 255, `${path}.lun`);
}

const initiators = {
  iqn: /iqn\.\d{4}-\d{2}\.([a-zA-Z0-9.-]+)(:[^,;*&$|\s]+)$/,
  eui: /^eui.[a-zA-Z0-9]{16}$/,
  naa: /^naa.[a-zA-Z0-9]{32}$/,
};

function checkInitiator(findings: Findings, name: string, path: string): void {
  const scheme = (['iqn', 'eui', 'naa'] as const).find((prefix) => name.startsWith(prefix));
  if (scheme === undefined) {
    findings.push(invalid(path, name, 'must be valid format starting with iqn, eui, or naa'));
  } else if (!initiators[scheme].test(name)) {
    findings.push(invalid(path, name, 'must be valid format'));
  }
}
