import type { EnvFromSource, EnvVar, EnvVarSource, FileKeySelector } from '@wherry/api';
import { checkDnsLabel, checkDnsSubdomain, checkName, checkRequired } from '../../checks.ts';
import { type Findings, invalid } from '../../findings.ts';
import { envVarName } from '../../names.ts';
import { checkKeySelector, checkObjectField, checkResourceField } from './key-selectors.ts';
import { checkNonReservedPath } from './paths.ts';

const noSource =
  'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`';
const severalSources = 'may not have more than one field specified at a time';

export function checkEnvironment(findings: Findings, variables: readonly EnvVar[] | undefined, path: string): void {
  if (variables === undefined) return;
  for (let i = 0; i < variables.length; i++) {
    const variable = variables[i];
    if (variable === undefined) continue;
    // The path is built only where something is wrong or deeper: most variables are plain values.
    const messages = envVarName(variable.name);
    if (messages.length > 0 && checkRequired(findings, variable.name, `${path}[${i}].name`)) {
      checkName(findings, envVarName, variable.name, `${path}[${i}].name`);
    }
    if (variable.valueFrom !== undefined) {
      checkSource(findings, variable.valueFrom, variable.value ?? '', `${path}[${i}].valueFrom`);
    }
  }
}

export function checkEnvironmentFrom(
  findings: Findings,
  sources: readonly EnvFromSource[] | undefined,
  path: string,
): void {
  if (sources === undefined) return;
  for (const [index, source] of sources.entries()) {
    const at = `${path}[${index}]`;
    if (source.prefix) checkName(findings, envVarName, source.prefix, `${at}.prefix`);
    let count = 0;
    for (const field of ['configMapRef', 'secretRef'] as const) {
      const reference = source[field];
      if (reference === undefined) continue;
      count++;
      const name = reference.name ?? '';
      if (checkRequired(findings, name, `${at}.${field}.name`)) {
        checkDnsSubdomain(findings, name, `${at}.${field}.name`);
      }
    }
    if (count === 0) findings.push(invalid(path, '', 'must specify one of: `configMapRef` or `secretRef`'));
    else if (count > 1) findings.push(invalid(path, '', severalSources));
  }
}

function checkSource(findings: Findings, source: EnvVarSource, value: string, path: string): void {
  let count = 0;
  if (source.fieldRef !== undefined) {
    count++;
    checkObjectField(findings, source.fieldRef, 'environment', `${path}.fieldRef`);
  }
  if (source.resourceFieldRef !== undefined) {
    count++;
    checkResourceField(findings, source.resourceFieldRef, 'environment', `${path}.resourceFieldRef`);
  }
  if (source.configMapKeyRef !== undefined) {
    count++;
    checkKeySelector(findings, source.configMapKeyRef, `${path}.configMapKeyRef`);
  }
  if (source.secretKeyRef !== undefined) {
    count++;
    checkKeySelector(findings, source.secretKeyRef, `${path}.secretKeyRef`);
  }
  if (source.fileKeyRef !== undefined) {
    count++;
    checkFileKey(findings, source.fileKeyRef, `${path}.fileKeyRef`);
  }
  if (count === 0) findings.push(invalid(path, '', noSource));
  else if (value !== '') findings.push(invalid(path, '', 'may not be specified when `value` is not empty'));
  else if (count > 1) findings.push(invalid(path, '', severalSources));
}

function checkFileKey(findings: Findings, selector: FileKeySelector, path: string): void {
  if (checkRequired(findings, selector.key, `${path}.key`)) {
    checkName(findings, envVarName, selector.key, `${path}.key`);
  }
  if (checkRequired(findings, selector.volumeName, `${path}.volumeName`)) {
    checkDnsLabel(findings, selector.volumeName, `${path}.volumeName`);
  }
  if (checkRequired(findings, selector.path, `${path}.path`)) {
    checkNonReservedPath(findings, selector.path, `${path}.path`);
  }
}
