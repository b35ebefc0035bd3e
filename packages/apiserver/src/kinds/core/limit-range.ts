import type { LimitRange, LimitRangeItem } from '@wherry/api';
import { checkName } from '../checks.ts';
import { duplicate, type Findings, forbidden, invalid, required } from '../findings.ts';
import { asPrefix, dns1123Subdomain, qualifiedName } from '../names.ts';
import { strategyOf } from '../plain.ts';
import { compareQuantities } from '../quantities.ts';
import { checkContainerResourceName, checkResourceName, isOvercommitAllowed } from './resource-names.ts';

const standardTypes = new Set(['Pod', 'Container', 'PersistentVolumeClaim']);

export const limitRangeStrategy = strategyOf<LimitRange>({
  validateName: asPrefix(dns1123Subdomain),
  allowCreateOnUpdate: true,
  check: (findings, range) => {
    const seen = new Set<string>();
    for (const [index, item] of (range.spec?.limits ?? []).entries()) {
      const at = `spec.limits[${index}]`;
      checkType(findings, item.type, `${at}.type`);
      if (seen.has(item.type)) findings.push(duplicate(`${at}.type`, item.type));
      seen.add(item.type);
      checkItem(findings, item, at);
    }
  },
});

function checkType(findings: Findings, type: string, path: string): void {
  if (!checkName(findings, qualifiedName, type, path)) return;
  if (!type.includes('/') && !standardTypes.has(type)) {
    findings.push(invalid(path, type, 'must be a standard limit type or fully qualified'));
  }
}

function checkItem(findings: Findings, item: LimitRangeItem, path: string): void {
  const names = new Set<string>();
  const checkNames = (field: 'max' | 'min' | 'default' | 'defaultRequest' | 'maxLimitRequestRatio'): void => {
    for (const name in item[field]) {
      const at = `${path}.${field}[${name}]`;
      if (item.type === 'Pod' || item.type === 'Container') checkContainerResourceName(findings, name, at);
      else checkResourceName(findings, name, at);
      names.add(name);
    }
  };
  checkNames('max');
  checkNames('min');
  if (item.type === 'Pod') {
    for (const field of ['default', 'defaultRequest'] as const) {
      if (Object.keys(item[field] ?? {}).length === 0) continue;
      findings.push(forbidden(`${path}.${field}`, "may not be specified when `type` is 'Pod'"));
    }
  } else {
    checkNames('default');
    checkNames('defaultRequest');
  }
  if (item.type === 'PersistentVolumeClaim' && !item.min?.['storage'] && !item.max?.['storage']) {
    const detail = 'either minimum or maximum storage value is required, but neither was provided';
    findings.push(required(`${path}.limits`, detail));
  }
  checkNames('maxLimitRequestRatio');
  for (const name of names) checkOrder(findings, item, name, path);
}

/** min ≤ defaultRequest ≤ default ≤ max, wherever two of them are given. */
function checkOrder(findings: Findings, item: LimitRangeItem, name: string, path: string): void {
  const min = item.min?.[name];
  const max = item.max?.[name];
  const limit = item.type === 'Pod' ? undefined : item.default?.[name];
  const request = item.type === 'Pod' ? undefined : item.defaultRequest?.[name];
  const checkPair = (
    low: string | undefined,
    high: string | undefined,
    at: string,
    value: string | undefined,
    words: readonly [string, string],
  ): void => {
    if (low === undefined || high === undefined || compareQuantities(low, high) <= 0) return;
    findings.push(invalid(`${path}.${at}[${name}]`, value, `${words[0]} ${low} is greater than ${words[1]} ${high}`));
  };
  checkPair(min, max, 'min', min, ['min value', 'max value']);
  checkPair(min, request, 'defaultRequest', request, ['min value', 'default request value']);
  checkPair(request, max, 'defaultRequest', request, ['default request value', 'max value']);
  checkPair(request, limit, 'defaultRequest', request, ['default request value', 'default limit value']);
  checkPair(min, limit, 'default', min, ['min value', 'default value']);
  checkPair(limit, max, 'default', max, ['default value', 'max value']);
  const ratio = item.maxLimitRequestRatio?.[name];
  if (ratio !== undefined && compareQuantities(ratio, '1') < 0) {
    findings.push(invalid(`${path}.maxLimitRequestRatio[${name}]`, ratio, `ratio ${ratio} is less than 1`));
  }
  const mustAgree = !isOvercommitAllowed(name) && limit !== undefined && request !== undefined;
  if (mustAgree && compareQuantities(limit, request) !== 0) {
    const detail = `default value ${limit} must equal to defaultRequest value ${request} in ${name}`;
    findings.push(invalid(`${path}.defaultRequest[${name}]`, request, detail));
  }
}
