import type { StorageClass, VolumeAttachment, VolumeAttributesClass } from '@wherry/api';
import { ageColumn, flag, nameColumn, text } from '../cells.ts';
import {
  checkDnsSubdomain,
  checkImmutable,
  checkLabelName,
  checkName,
  checkOneOf,
  checkRequired,
  checkSupported,
} from '../checks.ts';
import { checkCsiDriverName } from '../core/volume-sources.ts';
import { sameValue } from '../equality.ts';
import { duplicate, type Findings, forbidden, invalid, required, tooLong, tooMany } from '../findings.ts';
import { asPrefix, dns1123Subdomain, qualifiedName } from '../names.ts';
import { strategyOf } from '../plain.ts';

const parametersMax = 512;
const parametersSizeBytesMax = 256 * 1024;
const defaultClassAnnotations = [
  'storageclass.kubernetes.io/is-default-class',
  'storageclass.beta.kubernetes.io/is-default-class',
];

export const storageClassStrategy = strategyOf<StorageClass>({
  validateName: asPrefix(dns1123Subdomain),
  check: (findings, storageClass) => {
    if (checkRequired(findings, storageClass.provisioner, 'provisioner')) {
      checkName(findings, qualifiedName, storageClass.provisioner.toLowerCase(), 'provisioner');
    }
    checkParameters(findings, storageClass.parameters, 'parameters');
    checkSupported(findings, storageClass.reclaimPolicy, ['Delete', 'Retain'], 'reclaimPolicy');
    checkOneOf(findings, storageClass.volumeBindingMode, ['Immediate', 'WaitForFirstConsumer'], 'volumeBindingMode');
    checkTopologies(findings, storageClass.allowedTopologies);
  },
  checkUpdate: (findings, next, old) => {
    for (const field of ['parameters', 'provisioner', 'reclaimPolicy'] as const) {
      if (!sameValue(next[field], old[field], field)) {
        findings.push(forbidden(field, `updates to ${field} are forbidden.`));
      }
    }
    checkImmutable(findings, next.volumeBindingMode, old.volumeBindingMode, 'volumeBindingMode');
  },
  columns: [
    nameColumnWithDefault(defaultClassAnnotations),
    text('Provisioner', (storageClass) => storageClass.provisioner),
    text('ReclaimPolicy', (storageClass) => storageClass.reclaimPolicy ?? 'Delete'),
    text('VolumeBindingMode', (storageClass) => storageClass.volumeBindingMode ?? 'Immediate'),
    text('AllowVolumeExpansion', (storageClass) => storageClass.allowVolumeExpansion ?? false),
    ageColumn,
  ],
});

export const volumeAttributesClassStrategy = strategyOf<VolumeAttributesClass>({
  validateName: asPrefix(dns1123Subdomain),
  check: (findings, attributes) => {
    checkCsiDriverName(findings, attributes.driverName, 'driverName');
    if (Object.keys(attributes.parameters ?? {}).length === 0) {
      findings.push(required('parameters', 'must contain at least one key/value pair'));
    }
    checkParameters(findings, attributes.parameters, 'parameters');
  },
  checkUpdate: (findings, next, old) => {
    if (next.driverName !== old.driverName) {
      findings.push(forbidden('driverName', 'updates to driverName are forbidden.'));
    }
    if (!sameValue(next.parameters, old.parameters, 'parameters')) {
      findings.push(forbidden('parameters', 'updates to parameters are forbidden.'));
    }
  },
  columns: [
    nameColumnWithDefault(['storage.alpha.kubernetes.io/is-default-class']),
    text('DriverName', (attributes) => attributes.driverName),
    ageColumn,
  ],
});

export const volumeAttachmentStrategy = strategyOf<VolumeAttachment>({
  validateName: asPrefix(dns1123Subdomain),
  allowUnconditionalUpdate: false,
  check: (findings, { spec }) => {
    if (spec === undefined) return;
    checkCsiDriverName(findings, spec.attacher, 'spec.attacher');
    const { inlineVolumeSpec, persistentVolumeName } = spec.source;
    if (inlineVolumeSpec === undefined && !persistentVolumeName) {
      findings.push(required('spec.source', 'must specify exactly one of inlineVolumeSpec and persistentVolumeName'));
    }
    if (inlineVolumeSpec !== undefined && persistentVolumeName !== undefined) {
      const detail = 'must specify exactly one of inlineVolumeSpec and persistentVolumeName';
      findings.push(forbidden('spec.source', detail));
    }
    if (persistentVolumeName) {
      checkDnsSubdomain(findings, persistentVolumeName, 'spec.source.persistentVolumeName');
    }
    if (checkRequired(findings, spec.nodeName, 'spec.nodeName')) {
      checkDnsSubdomain(findings, spec.nodeName, 'spec.nodeName');
    }
  },
  checkUpdate: (findings, next, old) => {
    if (!sameValue(next.spec, old.spec)) findings.push(invalid('spec', next.spec, 'field is immutable'));
  },
  columns: [
    nameColumn,
    { ...text<VolumeAttachment>('Attacher', ({ spec }) => spec.attacher), format: 'name' },
    text('PV', ({ spec }) => spec.source.persistentVolumeName ?? ''),
    text('Node', ({ spec }) => spec.nodeName),
    flag('Attached', ({ status }) => status?.attached),
    ageColumn,
  ],
});

function nameColumnWithDefault(annotations: readonly string[]): typeof nameColumn {
  return {
    ...nameColumn,
    cell: ({ metadata }) => {
      const isDefault = annotations.some((annotation) => metadata?.annotations?.[annotation] === 'true');
      return isDefault ? `${metadata?.name ?? ''} (default)` : (metadata?.name ?? '');
    },
  };
}

function checkParameters(findings: Findings, parameters: StorageClass['parameters'], path: string): void {
  const keys = Object.keys(parameters ?? {});
  if (keys.length > parametersMax) findings.push(tooMany(path, keys.length, parametersMax));
  let sizeBytes = 0;
  for (const key of keys) {
    if (key === '') findings.push(invalid(path, key, 'field can not be empty.'));
    sizeBytes += key.length + (parameters?.[key] ?? '').length;
  }
  if (sizeBytes > parametersSizeBytesMax) findings.push(tooLong(path, '', parametersSizeBytesMax));
}

function checkTopologies(findings: Findings, topologies: StorageClass['allowedTopologies']): void {
  for (const [index, term] of (topologies ?? []).entries()) {
    const path = `allowedTopologies[${index}].matchLabelExpressions`;
    const keys = new Set<string>();
    for (const [position, { key, values }] of (term.matchLabelExpressions ?? []).entries()) {
      const at = `${path}[${position}]`;
      if (values.length === 0) findings.push(required(`${at}.values`, ''));
      for (const [i, value] of values.entries()) {
        if (values.indexOf(value) < i) findings.push(duplicate(`${at}.values[${i}]`, value));
      }
      checkLabelName(findings, key, `${at}.key`);
      if (keys.has(key)) findings.push(duplicate(`${at}.key`, key));
      keys.add(key);
    }
  }
}
