import type { PersistentVolumeClaim, PersistentVolumeClaimSpec } from '@wherry/api';
import { ageColumn, nameColumn, text, unset, wide } from '../cells.ts';
import { checkImmutable, type StringMap } from '../checks.ts';
import { describeDifference, sameValue } from '../equality.ts';
import { type Findings, forbidden, invalid, required } from '../findings.ts';
import { asPrefix, dns1123Subdomain } from '../names.ts';
import { strategyOf } from '../plain.ts';
import { compareQuantities, isNegativeQuantity } from '../quantities.ts';
import { checkClaimSpec } from './claim-spec.ts';
import { accessModesText } from './volume-texts.ts';

const classAnnotation = 'volume.beta.kubernetes.io/storage-class';
const emptySpec: PersistentVolumeClaimSpec = {};

export const persistentVolumeClaimStrategy = strategyOf<PersistentVolumeClaim>({
  validateName: asPrefix(dns1123Subdomain),
  prepareForCreate: (claim) => ({ ...withBothDataSources(claim), status: { phase: 'Pending' } }),
  prepareForUpdate: withBothDataSources,
  check: (findings, claim) => checkClaimSpec(findings, claim.spec ?? emptySpec, 'spec'),
  checkUpdate: checkClaimUpdate,
  checkStatus: (findings, next) => {
    if ((next.spec?.accessModes ?? []).length === 0) findings.push(required('Spec.accessModes', ''));
    checkCapacity(findings, next.status?.capacity, 'status.capacity');
    checkCapacity(findings, next.status?.allocatedResources, 'status.allocatedResources');
  },
  columns: [
    nameColumn,
    text('Status', (claim) =>
      claim.metadata?.deletionTimestamp === undefined ? (claim.status?.phase ?? '') : 'Terminating',
    ),
    text('Volume', (claim) => claim.spec?.volumeName ?? ''),
    text('Capacity', (claim) => (claim.spec?.volumeName ? (claim.status?.capacity?.['storage'] ?? '0') : '')),
    text('Access Modes', (claim) => (claim.spec?.volumeName ? accessModesText(claim.status?.accessModes) : '')),
    text(
      'StorageClass',
      (claim) => claim.metadata?.annotations?.[classAnnotation] ?? claim.spec?.storageClassName ?? '',
    ),
    text('VolumeAttributesClass', (claim) => claim.spec?.volumeAttributesClassName ?? unset),
    ageColumn,
    wide(text('VolumeMode', (claim) => claim.spec?.volumeMode ?? unset)),
  ],
});

/** The older field and the newer one mean the same for sources in the claim's own namespace. */
function withBothDataSources(claim: PersistentVolumeClaim): PersistentVolumeClaim {
  const { dataSource, dataSourceRef } = claim.spec ?? emptySpec;
  if (dataSource !== undefined && dataSourceRef === undefined) {
    return { ...claim, spec: { ...claim.spec, dataSourceRef: dataSource } };
  }
  if (dataSource === undefined && dataSourceRef !== undefined && dataSourceRef.namespace === undefined) {
    return { ...claim, spec: { ...claim.spec, dataSource: dataSourceRef } };
  }
  return claim;
}

/** Claims are fixed so that quota holds; a bound one may grow, and shrink back to what it really got. */
function checkClaimUpdate(findings: Findings, next: PersistentVolumeClaim, old: PersistentVolumeClaim): void {
  const spec = next.spec ?? emptySpec;
  const before = old.spec ?? emptySpec;
  const fixed = withChangeableOf(spec, before, old);
  if (!sameValue(fixed, before)) {
    const difference = describeDifference(before, fixed);
    const detail =
      'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims';
    findings.push(forbidden('spec', `${detail}\n${difference}`));
  }
  const size = spec.resources?.requests?.['storage'] ?? '0';
  const granted = old.status?.capacity?.['storage'] ?? '0';
  const isSmaller = compareQuantities(size, before.resources?.requests?.['storage'] ?? '0') < 0;
  if (isSmaller && compareQuantities(size, granted) <= 0) {
    findings.push(forbidden('spec.resources.requests.storage', 'field can not be less than status.capacity'));
  }
  checkImmutable(findings, spec.volumeMode, before.volumeMode, 'volumeMode');
  if (before.volumeAttributesClassName === undefined) return;
  const at = 'spec.volumeAttributesClassName';
  if (spec.volumeAttributesClassName === undefined) {
    findings.push(forbidden(at, 'update from non-nil value to nil is forbidden'));
  } else if (spec.volumeAttributesClassName === '' && before.volumeAttributesClassName !== '') {
    findings.push(forbidden(at, 'update from non-nil value to an empty string is forbidden'));
  }
}

function withChangeableOf(
  spec: PersistentVolumeClaimSpec,
  before: PersistentVolumeClaimSpec,
  old: PersistentVolumeClaim,
): PersistentVolumeClaimSpec {
  const { volumeAttributesClassName: _class, ...rest } = spec;
  let fixed: PersistentVolumeClaimSpec = rest;
  if (before.volumeAttributesClassName !== undefined) {
    fixed = { ...fixed, volumeAttributesClassName: before.volumeAttributesClassName };
  }
  // The binder fills in the volume once, and the default class may be set on a claim that had none.
  if (!before.volumeName && fixed.volumeName) {
    const { volumeName: _volume, ...unbound } = fixed;
    fixed = unbound;
  }
  const annotated = old.metadata?.annotations?.[classAnnotation];
  const isNewClass = before.storageClassName === undefined && fixed.storageClassName !== undefined;
  if (isNewClass && (annotated === undefined || annotated === fixed.storageClassName)) {
    const { storageClassName: _storageClass, ...classless } = fixed;
    fixed = classless;
  }
  const storage = before.resources?.requests?.['storage'];
  if (old.status?.phase !== 'Bound' || storage === undefined) return fixed;
  const requests = { ...fixed.resources?.requests, storage };
  return { ...fixed, resources: { ...fixed.resources, requests } };
}

function checkCapacity(findings: Findings, capacity: StringMap | undefined, path: string): void {
  for (const name in capacity) {
    const quantity = capacity[name] ?? '';
    if (isNegativeQuantity(quantity)) {
      findings.push(invalid(`${path}[${name}]`, quantity, 'must be a valid resource quantity'));
    }
  }
}
