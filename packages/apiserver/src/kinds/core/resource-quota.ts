import type { ResourceQuota, ResourceQuotaSpec } from '@wherry/api';
import { ageColumn, nameColumn, text } from '../cells.ts';
import { fieldIsImmutable, type StringMap } from '../checks.ts';
import { type Findings, invalid, required } from '../findings.ts';
import { asPrefix, dns1123Subdomain } from '../names.ts';
import { strategyOf } from '../plain.ts';
import { checkQuotaResourceName, checkResourceQuantity, isStandardQuotaResource } from './resource-names.ts';

const existsOnly =
  "must be 'Exist' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity";
const valuelessScopes = new Set([
  'BestEffort',
  'NotBestEffort',
  'Terminating',
  'NotTerminating',
  'CrossNamespacePodAffinity',
]);
const scopes = new Set([...valuelessScopes, 'PriorityClass', 'VolumeAttributesClass']);
const opposites = [
  ['BestEffort', 'NotBestEffort'],
  ['Terminating', 'NotTerminating'],
] as const;
const podResources = new Set([
  'pods',
  'cpu',
  'memory',
  'requests.cpu',
  'requests.memory',
  'limits.cpu',
  'limits.memory',
]);

export const resourceQuotaStrategy = strategyOf<ResourceQuota>({
  validateName: asPrefix(dns1123Subdomain),
  check: (findings, quota) => checkQuotaSpec(findings, quota.spec ?? {}),
  checkUpdate: (findings, next, old) => {
    const list = (quota: ResourceQuota): string => [...new Set(quota.spec?.scopes ?? [])].sort().join();
    if (list(next) !== list(old)) findings.push(invalid('spec.scopes', next.spec?.scopes, fieldIsImmutable));
  },
  checkStatus: (findings, next) => {
    checkAmounts(findings, next.status?.hard, 'status.hard');
    checkAmounts(findings, next.status?.used, 'status.used');
  },
  columns: [
    nameColumn,
    text('Request', (quota) => usage(quota, (name) => !name.startsWith('limits.'))),
    text('Limit', (quota) => usage(quota, (name) => name.startsWith('limits.'))),
    ageColumn,
  ],
});

function checkQuotaSpec(findings: Findings, spec: ResourceQuotaSpec): void {
  checkAmounts(findings, spec.hard, 'spec.hard');
  const names = Object.keys(spec.hard ?? {}).sort();
  const listed = spec.scopes ?? [];
  for (const scope of listed) {
    if (!scopes.has(scope)) findings.push(invalid('spec.scopes', listed, 'unsupported scope'));
    if (names.some((name) => isStandardQuotaResource(name) && !suits(scope, name))) {
      findings.push(invalid('spec.scopes', listed, 'unsupported scope applied to resource'));
    }
  }
  checkOpposites(findings, listed, listed, 'spec.scopes');
  if (spec.scopeSelector !== undefined) checkScopeSelector(findings, spec, names);
}

function checkScopeSelector(findings: Findings, spec: ResourceQuotaSpec, names: readonly string[]): void {
  const path = 'spec.scopeSelector.matchExpressions';
  const expressions = spec.scopeSelector?.matchExpressions ?? [];
  for (const { operator, scopeName, values = [] } of expressions) {
    if (!scopes.has(scopeName)) findings.push(invalid(`${path}.scopeName`, scopeName, 'unsupported scope'));
    if (names.some((name) => isStandardQuotaResource(name) && !suits(scopeName, name))) {
      findings.push(invalid(path, spec.scopeSelector, 'unsupported scope applied to resource'));
    }
    if (valuelessScopes.has(scopeName) && operator !== 'Exists') {
      findings.push(invalid(`${path}.operator`, operator, existsOnly));
    }
    if (operator === 'In' || operator === 'NotIn') {
      if (values.length === 0) {
        const detail = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector";
        findings.push(required(`${path}.values`, detail));
      }
    } else if (operator === 'Exists' || operator === 'DoesNotExist') {
      if (values.length > 0) {
        const detail = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector";
        findings.push(invalid(`${path}.values`, values, detail));
      }
    } else {
      findings.push(invalid(`${path}.operator`, operator, 'not a valid selector operator'));
    }
  }
  checkOpposites(
    findings,
    expressions.map(({ scopeName }) => scopeName),
    spec.scopes,
    path,
  );
}

function checkOpposites(findings: Findings, used: readonly string[], value: unknown, path: string): void {
  for (const pair of opposites) {
    if (pair.every((scope) => used.includes(scope))) findings.push(invalid(path, value, 'conflicting scopes'));
  }
}

/** Whether the scope says anything about the resource: all but one are about pods. */
function suits(scope: string, name: string): boolean {
  switch (scope) {
    case 'BestEffort':
      return name === 'pods';
    case 'VolumeAttributesClass':
      return name === 'persistentvolumeclaims' || name === 'requests.storage';
    case 'Terminating':
    case 'NotTerminating':
    case 'NotBestEffort':
    case 'PriorityClass':
    case 'CrossNamespacePodAffinity':
      return podResources.has(name) || name.endsWith('ephemeral-storage') || name.includes('hugepages-');
    default:
      return true;
  }
}

function checkAmounts(findings: Findings, amounts: StringMap | undefined, path: string): void {
  for (const name in amounts) {
    checkQuotaResourceName(findings, name, `${path}[${name}]`);
    checkResourceQuantity(findings, name, amounts[name] ?? '', `${path}[${name}]`);
  }
}

function usage(quota: ResourceQuota, isShown: (name: string) => boolean): string {
  const hard = quota.status?.hard ?? {};
  const names = Object.keys(hard).filter(isShown).sort();
  return names.map((name) => `${name}: ${quota.status?.used?.[name] ?? '0'}/${hard[name] ?? '0'}`).join(', ');
}
