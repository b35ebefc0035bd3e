import { type Findings, invalid } from '../../findings.ts';

/** A path below some root: relative, and never climbing out of it. */
export function checkDescendingPath(findings: Findings, value: string, path: string): boolean {
  let good = true;
  if (value.startsWith('/')) {
    findings.push(invalid(path, value, 'must be a relative path'));
    good = false;
  }
  return checkNoBacksteps(findings, value, path) && good;
}

export function checkNoBacksteps(findings: Findings, value: string, path: string): boolean {
  if (!hasBackstep(value)) return true;
  findings.push(invalid(path, value, "must not contain '..'"));
  return false;
}

export function hasBackstep(value: string): boolean {
  return value.includes('..') && value.split('/').includes('..');
}

/** As {@link checkDescendingPath}; names beginning with '..' belong to the kubelet's own symlinks. */
export function checkNonReservedPath(findings: Findings, value: string, path: string): void {
  if (!checkDescendingPath(findings, value, path)) return;
  if (value.startsWith('..')) findings.push(invalid(path, value, "must not start with '..'"));
}
