// The spec of a PersistentVolumeClaim, wherever it stands: in a claim, a StatefulSet's template, an ephemeral volume.
import type { PersistentVolumeClaimSpec, PersistentVolumeClaimTemplate, TypedObjectReference } from '@wherry/api';
import {
  checkAnnotations,
  checkDnsSubdomain,
  checkLabelSelector,
  checkLabels,
  checkName,
  checkRequired,
  checkSupported,
  notPositive,
} from '../checks.ts';
import { type Findings, forbidden, invalid, notSupported, required } from '../findings.ts';
import { dns1123Label } from '../names.ts';
import { isPositiveQuantity } from '../quantities.ts';

export const accessModes = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod'];
export const volumeModes = ['Block', 'Filesystem'];

export function checkClaimSpec(findings: Findings, spec: PersistentVolumeClaimSpec, path: string): void {
  checkAccessModes(findings, spec.accessModes, path);
  checkLabelSelector(findings, spec.selector, `${path}.selector`);
  const storage = spec.resources?.requests?.['storage'];
  if (storage === undefined) findings.push(required(`${path}.resources[storage]`, ''));
  else if (!isPositiveQuantity(storage)) {
    findings.push(invalid(`${path}.resources[storage]`, storage, notPositive));
  }
  if (spec.storageClassName) checkDnsSubdomain(findings, spec.storageClassName, `${path}.storageClassName`);
  checkSupported(findings, spec.volumeMode, volumeModes, `${path}.volumeMode`);
  checkDataSources(findings, spec, path);
  if (spec.volumeAttributesClassName) {
    checkDnsSubdomain(findings, spec.volumeAttributesClassName, `${path}.volumeAttributesClassName`);
  }
}

export function checkAccessModes(findings: Findings, modes: readonly string[] | undefined, path: string): void {
  const at = `${path}.accessModes`;
  if (modes === undefined || modes.length === 0) {
    findings.push(required(at, 'at least 1 access mode is required'));
    return;
  }
  for (const mode of modes) {
    if (!accessModes.includes(mode)) findings.push(notSupported(at, mode, accessModes));
  }
  const known = modes.filter((mode) => accessModes.includes(mode));
  if (known.includes('ReadWriteOncePod') && known.some((mode) => mode !== 'ReadWriteOncePod')) {
    findings.push(forbidden(at, 'may not use ReadWriteOncePod with other access modes'));
  }
}

/** Of a template's metadata only labels and annotations are used. */
export function checkClaimTemplate(findings: Findings, template: PersistentVolumeClaimTemplate, path: string): void {
  const metadata = template.metadata ?? {};
  checkAnnotations(findings, metadata.annotations, `${path}.metadata.annotations`);
  checkLabels(findings, metadata.labels, `${path}.metadata.labels`);
  for (const field of Object.keys(metadata)) {
    if (field === 'annotations' || field === 'labels' || field === 'creationTimestamp') continue;
    findings.push(forbidden(`${path}.metadata.${field}`, 'cannot be set for an ephemeral volume'));
  }
  checkClaimSpec(findings, template.spec, `${path}.spec`);
}

function checkDataSources(findings: Findings, spec: PersistentVolumeClaimSpec, path: string): void {
  const { dataSource, dataSourceRef } = spec;
  if (dataSource !== undefined) checkDataSource(findings, dataSource, `${path}.dataSource`);
  if (dataSourceRef === undefined) return;
  checkDataSource(findings, dataSourceRef, `${path}.dataSourceRef`);
  if (dataSource === undefined) return;
  if (dataSourceRef.namespace) {
    const detail = 'may not be specified when dataSourceRef.namespace is specified';
    findings.push(invalid(path, `${path}.dataSource`, detail));
  } else if (
    (dataSource.apiGroup ?? '') !== (dataSourceRef.apiGroup ?? '') ||
    dataSource.kind !== dataSourceRef.kind ||
    dataSource.name !== dataSourceRef.name
  ) {
    findings.push(invalid(path, `${path}.dataSource`, 'must match dataSourceRef'));
  }
}

function checkDataSource(findings: Findings, source: TypedObjectReference, path: string): void {
  checkRequired(findings, source.name, `${path}.name`);
  checkRequired(findings, source.kind, `${path}.kind`);
  if (!source.apiGroup) {
    if (source.kind !== 'PersistentVolumeClaim') {
      const detail = "must be 'PersistentVolumeClaim' when referencing the default apiGroup";
      findings.push(invalid(path, source.kind, detail));
    }
  } else {
    checkDnsSubdomain(findings, source.apiGroup, `${path}.apiGroup`);
  }
  if (source.namespace) checkName(findings, dns1123Label, source.namespace, `${path}.namespace`);
}
