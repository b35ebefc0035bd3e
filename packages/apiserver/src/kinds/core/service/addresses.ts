// clusterIP, clusterIPs, ipFamilies and ipFamilyPolicy: four fields that must tell one story.
import type { Service, ServiceSpec } from '@wherry/api';
import { checkIp, isIpv6 } from '../../addresses.ts';
import { duplicate, type Findings, forbidden, invalid, notSupported, required } from '../../findings.ts';
import { isHeadless, needsHealthCheckPort, specOf } from './types.ts';

const families = ['IPv4', 'IPv6'];
const familyPolicies = ['PreferDualStack', 'RequireDualStack', 'SingleStack'];
const onceSet = 'may not change once set';

export function checkServiceAddresses(findings: Findings, spec: ServiceSpec): void {
  if (spec.type === 'ExternalName') return;
  const addresses = spec.clusterIPs ?? [];
  if (spec.clusterIP) {
    if (addresses.length === 0) findings.push(required('spec.clusterIPs', ''));
    else if (addresses[0] !== spec.clusterIP) {
      findings.push(invalid('spec.clusterIPs', addresses, 'first value must match `clusterIP`'));
    }
  } else if (addresses.length > 0) {
    findings.push(invalid('spec.clusterIPs', addresses, 'must be empty when `clusterIP` is not specified'));
  }
  checkFamilies(findings, spec);
  if (!checkAddresses(findings, addresses)) return;
  if (addresses.length > 1) {
    const isDualStack = addresses.some((address) => isIpv6(address)) && addresses.some((address) => !isIpv6(address));
    if (!isDualStack) {
      findings.push(invalid('spec.clusterIPs', addresses, 'may specify no more than one IP for each IP family'));
    }
  }
  if (isHeadless(spec)) return;
  for (const [index, address] of addresses.entries()) {
    const family = spec.ipFamilies?.[index];
    if (family === undefined || (family === 'IPv6') === isIpv6(address)) continue;
    const detail = `expected an ${family} value as indicated by \`ipFamilies[${index}]\``;
    findings.push(invalid(`spec.clusterIPs[${index}]`, address, detail));
  }
}

/** An address may be added or given back, but the first one stays as long as the Service has one. */
export function checkServiceUpdate(findings: Findings, next: Service, old: Service): void {
  const spec = specOf(next);
  const before = specOf(old);
  if (spec.type !== 'ExternalName' && before.type !== 'ExternalName') {
    checkAddressChange(findings, spec, before);
    checkFamilyChange(findings, spec, before);
  }
  if (spec.type === 'LoadBalancer' && before.type === 'LoadBalancer') {
    if (spec.loadBalancerClass !== before.loadBalancerClass) {
      findings.push(invalid('spec.loadBalancerClass', spec.loadBalancerClass, onceSet));
    }
  }
  const keepsHealthCheck = needsHealthCheckPort(before) && needsHealthCheckPort(spec);
  if (keepsHealthCheck && (spec.healthCheckNodePort ?? 0) !== (before.healthCheckNodePort ?? 0)) {
    findings.push(forbidden('spec.healthCheckNodePort', 'field is immutable'));
  }
}

function checkFamilies(findings: Findings, spec: ServiceSpec): void {
  const seen = new Set<string>();
  const isUnmanaged = isHeadless(spec) && Object.keys(spec.selector ?? {}).length === 0;
  for (const [index, family] of (spec.ipFamilies ?? []).entries()) {
    const at = `spec.ipFamilies[${index}]`;
    if (!families.includes(family)) findings.push(notSupported(at, family, families));
    else if (family === 'IPv6' && !isUnmanaged) {
      findings.push(invalid(at, family, 'not configured on this cluster'));
    }
    if (seen.has(family)) findings.push(duplicate(at, family));
    seen.add(family);
  }
  const policy = spec.ipFamilyPolicy;
  if (policy === undefined) return;
  if (!familyPolicies.includes(policy)) findings.push(notSupported('spec.ipFamilyPolicy', policy, familyPolicies));
  if (policy === 'RequireDualStack' && !isUnmanaged) {
    const detail = 'this cluster is not configured for dual-stack services';
    findings.push(invalid('spec.ipFamilyPolicy', policy, detail));
  }
}

function checkAddresses(findings: Findings, addresses: readonly string[]): boolean {
  let good = true;
  for (const [index, address] of addresses.entries()) {
    if (index === 0 && address === 'None') {
      if (addresses.length > 1) {
        good = false;
        findings.push(invalid('spec.clusterIPs', addresses, "'None' must be the first and only value"));
      }
      continue;
    }
    good = checkIp(findings, address, `spec.clusterIPs[${index}]`) && good;
  }
  if (addresses.length > 2) findings.push(invalid('spec.clusterIPs', addresses, 'may only hold up to 2 values'));
  return good;
}

function checkAddressChange(findings: Findings, spec: ServiceSpec, before: ServiceSpec): void {
  if (isHeadless(spec) && isHeadless(before)) return;
  const addresses = spec.clusterIPs ?? [];
  const old = before.clusterIPs ?? [];
  if (old.length === 0) return;
  if (addresses.length === old.length) {
    for (const [index, address] of old.entries()) {
      if (address !== addresses[index]) findings.push(invalid(`spec.clusterIPs[${index}]`, addresses, onceSet));
    }
    return;
  }
  if (addresses.length === 0) {
    findings.push(invalid('spec.clusterIPs[0]', addresses, 'primary clusterIP can not be unset'));
  } else if (addresses[0] !== old[0]) {
    findings.push(invalid('spec.clusterIPs[0]', addresses, onceSet));
  }
  if (addresses.length === 1 && spec.ipFamilyPolicy !== 'SingleStack') {
    const detail = "must be set to 'SingleStack' when releasing the secondary clusterIP";
    findings.push(invalid('spec.ipFamilyPolicy', spec.ipFamilyPolicy, detail));
  }
}

function checkFamilyChange(findings: Findings, spec: ServiceSpec, before: ServiceSpec): void {
  if (isHeadless(spec) || isHeadless(before)) return;
  const next = spec.ipFamilies ?? [];
  const old = before.ipFamilies ?? [];
  if (old.length > 0 && next.length > 0 && next[0] !== old[0]) {
    findings.push(invalid('spec.ipFamilies[0]', next, onceSet));
  }
  if (next.length === 1 && old.length > 1 && spec.ipFamilyPolicy !== 'SingleStack') {
    const detail = "must be set to 'SingleStack' when releasing the secondary ipFamily";
    findings.push(invalid('spec.ipFamilyPolicy', spec.ipFamilyPolicy, detail));
  }
}
