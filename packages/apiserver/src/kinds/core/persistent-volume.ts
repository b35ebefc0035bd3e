import type { PersistentVolume, PersistentVolumeSpec } from '@wherry/api';
import { ageColumn, nameColumn, text, unset, wide } from '../cells.ts';
import {
  checkDnsSubdomain,
  checkImmutable,
  checkRequired,
  checkSupported,
  fieldIsImmutable,
  notPositive,
} from '../checks.ts';
import { describeDifference, sameValue } from '../equality.ts';
import { type Findings, forbidden, invalid, notSupported, required } from '../findings.ts';
import { asPrefix, dns1123Subdomain } from '../names.ts';
import { strategyOf } from '../plain.ts';
import { isPositiveQuantity } from '../quantities.ts';
import { accessModes, volumeModes } from './claim-spec.ts';
import { checkNodeSelector } from './pod/affinity.ts';
import { checkNoBacksteps } from './pod/paths.ts';
import {
  checkCsiDriverName,
  checkFibreChannel,
  checkFlocker,
  checkHostPath,
  checkIscsi,
  checkNfs,
  checkRequiredFields,
} from './volume-sources.ts';
import { accessModesText } from './volume-texts.ts';

const reclaimPolicies = ['Delete', 'Recycle', 'Retain'];

type SourceField = keyof PersistentVolumeSpec & keyof typeof sourceChecks;
type Check<F extends keyof PersistentVolumeSpec> = (
  findings: Findings,
  source: NonNullable<PersistentVolumeSpec[F]>,
  path: string,
) => void;

const other =
  (kind: string): ((findings: Findings, source: object, path: string) => void) =>
  (findings, source, path) =>
    checkRequiredFields(kind)(findings, { ...source }, path);

const sourceChecks = {
  hostPath: checkHostPath,
  gcePersistentDisk: other('gcePersistentDisk'),
  awsElasticBlockStore: other('awsElasticBlockStore'),
  glusterfs: other('glusterfs'),
  flocker: (findings: Findings, source: object, path: string) => checkFlocker(findings, { ...source }, path),
  nfs: checkNfs,
  rbd: other('rbd'),
  quobyte: other('quobyte'),
  cephfs: other('cephfs'),
  iscsi: checkIscsi,
  cinder: other('cinder'),
  fc: (findings: Findings, source: object, path: string) => checkFibreChannel(findings, { ...source }, path),
  flexVolume: other('flexVolume'),
  azureFile: other('azureFile'),
  vsphereVolume: other('vsphereVolume'),
  photonPersistentDisk: other('photonPersistentDisk'),
  portworxVolume: other('portworxVolume'),
  azureDisk: other('azureDisk'),
  scaleIO: other('scaleIO'),
  local: ((findings, source, path) => {
    if (checkRequired(findings, source.path, `${path}.path`)) checkNoBacksteps(findings, source.path, `${path}.path`);
  }) satisfies Check<'local'>,
  storageos: other('storageos'),
  csi: ((findings, source, path) => {
    checkCsiDriverName(findings, source.driver, `${path}.driver`);
    checkRequired(findings, source.volumeHandle, `${path}.volumeHandle`);
  }) satisfies Check<'csi'>,
};
const sourceFields = Object.keys(sourceChecks) as SourceField[];

export const persistentVolumeStrategy = strategyOf<PersistentVolume>({
  validateName: asPrefix(dns1123Subdomain),
  prepareForCreate: (volume, context) => ({
    ...volume,
    status: { phase: 'Pending', lastPhaseTransitionTime: context.now },
  }),
  check: (findings, volume) => checkVolume(findings, volume.spec ?? {}),
  checkUpdate: (findings, next, old) => checkVolumeUpdate(findings, next.spec ?? {}, old.spec ?? {}),
  prepareForStatus: (next, old, context) => {
    const isNewPhase = next.status?.phase !== old.status?.phase;
    const says = next.status?.lastPhaseTransitionTime !== old.status?.lastPhaseTransitionTime;
    if (!isNewPhase || says) return next;
    return { ...next, status: { ...next.status, lastPhaseTransitionTime: context.now } };
  },
  columns: [
    nameColumn,
    text('Capacity', (volume) => volume.spec?.capacity?.['storage'] ?? '0'),
    text('Access Modes', (volume) => accessModesText(volume.spec?.accessModes)),
    text('Reclaim Policy', (volume) => volume.spec?.persistentVolumeReclaimPolicy ?? ''),
    text('Status', (volume) =>
      volume.metadata?.deletionTimestamp === undefined ? (volume.status?.phase ?? '') : 'Terminating',
    ),
    text('Claim', ({ spec }) =>
      spec?.claimRef === undefined ? '' : `${spec.claimRef.namespace ?? ''}/${spec.claimRef.name ?? ''}`,
    ),
    text('StorageClass', storageClass),
    text('VolumeAttributesClass', (volume) => volume.spec?.volumeAttributesClassName ?? unset),
    text('Reason', (volume) => volume.status?.reason ?? ''),
    ageColumn,
    wide(text('VolumeMode', (volume) => volume.spec?.volumeMode ?? unset)),
  ],
});

function checkVolume(findings: Findings, spec: PersistentVolumeSpec): void {
  const modes = spec.accessModes ?? [];
  if (modes.length === 0) findings.push(required('spec.accessModes', ''));
  for (const mode of modes) {
    if (!accessModes.includes(mode)) findings.push(notSupported('spec.accessModes', mode, accessModes));
  }
  if (modes.includes('ReadWriteOncePod') && modes.length > 1) {
    findings.push(forbidden('spec.accessModes', 'may not use ReadWriteOncePod with other access modes'));
  }
  const capacity = spec.capacity ?? {};
  const names = Object.keys(capacity);
  if (names.length === 0) findings.push(required('spec.capacity', ''));
  if (names.length !== 1 || names[0] !== 'storage') findings.push(notSupported('spec.capacity', capacity, ['storage']));
  for (const name of names) {
    const quantity = capacity[name] ?? '';
    if (!isPositiveQuantity(quantity)) findings.push(invalid(`spec.capacity[${name}]`, quantity, notPositive));
  }
  if (spec.persistentVolumeReclaimPolicy) {
    checkSupported(findings, spec.persistentVolumeReclaimPolicy, reclaimPolicies, 'spec.persistentVolumeReclaimPolicy');
  }
  checkAffinity(findings, spec);
  checkSources(findings, spec);
  if (spec.storageClassName) checkDnsSubdomain(findings, spec.storageClassName, 'spec.storageClassName');
  checkSupported(findings, spec.volumeMode, volumeModes, 'spec.volumeMode');
}

function checkAffinity(findings: Findings, spec: PersistentVolumeSpec): void {
  if (spec.nodeAffinity === undefined) return;
  const needed = spec.nodeAffinity.required;
  if (needed === undefined) {
    findings.push(required('spec.nodeAffinity.required', 'must specify required node constraints'));
  } else {
    checkNodeSelector(findings, needed, 'spec.nodeAffinity.required');
  }
}

function checkSources(findings: Findings, spec: PersistentVolumeSpec): void {
  let count = 0;
  for (const field of sourceFields) {
    const source = spec[field];
    if (source === undefined) continue;
    count++;
    // The table's functions and the fields correspond; their union cannot say so.
    const check = sourceChecks[field] as (findings: Findings, source: object, path: string) => void;
    if (count === 1) check(findings, source, `spec.${field}`);
    else findings.push(forbidden(`spec.${field}`, 'may not specify more than 1 volume type'));
  }
  if (count === 0) findings.push(required('spec', 'must specify a volume type'));
  if (spec.local !== undefined && spec.nodeAffinity === undefined) {
    findings.push(required('spec.nodeAffinity', 'Local volume requires node affinity'));
  }
  if (spec.hostPath?.path === '/' && spec.persistentVolumeReclaimPolicy === 'Recycle') {
    const detail = "may not be 'recycle' for a hostPath mount of '/'";
    findings.push(forbidden('spec.persistentVolumeReclaimPolicy', detail));
  }
}

function checkVolumeUpdate(findings: Findings, next: PersistentVolumeSpec, old: PersistentVolumeSpec): void {
  const sourceOf = (spec: PersistentVolumeSpec): object =>
    Object.fromEntries(sourceFields.flatMap((field) => (spec[field] === undefined ? [] : [[field, spec[field]]])));
  if (!sameValue(sourceOf(next), sourceOf(old))) {
    const difference = describeDifference(sourceOf(old), sourceOf(next));
    const detail = `spec.persistentvolumesource is immutable after creation\n${difference}`;
    findings.push(forbidden('spec.persistentvolumesource', detail));
  }
  checkImmutable(findings, next.volumeMode, old.volumeMode, 'volumeMode');
  if (old.nodeAffinity !== undefined && !sameValue(next.nodeAffinity, old.nodeAffinity)) {
    const detail = `${fieldIsImmutable}, except for updating from beta label to GA`;
    findings.push(invalid('spec.nodeAffinity', next.nodeAffinity, detail));
  }
}

function storageClass(volume: PersistentVolume): string {
  const annotated = volume.metadata?.annotations?.['volume.beta.kubernetes.io/storage-class'];
  return annotated ?? volume.spec?.storageClassName ?? '';
}
