// Files that volumes are made of: which key or field goes to which path, with which mode.
import type { DownwardAPIVolumeFile, KeyToPath } from '@wherry/api';
import { checkRequired } from '../../checks.ts';
import { type Findings, invalid, required } from '../../findings.ts';
import { checkObjectField, checkResourceField } from './key-selectors.ts';
import { checkNonReservedPath } from './paths.ts';

const fileModeMax = 0o777;
const fileModeMessage = 'must be a number between 0 and 0777 (octal), both inclusive';

export function checkMode(findings: Findings, mode: number | undefined, path: string): void {
  if (mode !== undefined && (mode < 0 || mode > fileModeMax)) findings.push(invalid(path, mode, fileModeMessage));
}

export function checkKeysToPaths(findings: Findings, items: readonly KeyToPath[] | undefined, path: string): void {
  for (const [index, item] of (items ?? []).entries()) {
    const at = `${path}[${index}]`;
    checkRequired(findings, item.key, `${at}.key`);
    if (checkRequired(findings, item.path, `${at}.path`)) checkNonReservedPath(findings, item.path, `${at}.path`);
    checkMode(findings, item.mode, `${at}.mode`);
  }
}

export function checkDownwardFile(findings: Findings, file: DownwardAPIVolumeFile, path: string): void {
  if (checkRequired(findings, file.path, `${path}.path`)) checkNonReservedPath(findings, file.path, `${path}.path`);
  if (file.fieldRef !== undefined) {
    checkObjectField(findings, file.fieldRef, 'volume', `${path}.fieldRef`);
    if (file.resourceFieldRef !== undefined) {
      const detail = 'fieldRef and resourceFieldRef can not be specified simultaneously';
      findings.push(invalid(path, 'resource', detail));
    }
  } else if (file.resourceFieldRef !== undefined) {
    checkResourceField(findings, file.resourceFieldRef, 'volume', `${path}.resourceFieldRef`);
  } else {
    findings.push(required(path, 'one of fieldRef and resourceFieldRef is required'));
  }
  checkMode(findings, file.mode, `${path}.mode`);
}
