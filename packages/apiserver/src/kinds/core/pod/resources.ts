import type { ContainerResizePolicy, PodResourceClaim, PodSpec, ResourceRequirements } from '@wherry/api';
import { checkDnsLabel, checkDnsSubdomain, checkSupported, type StringMap } from '../../checks.ts';
import { duplicate, type Findings, forbidden, invalid, notFound, notSupported, required } from '../../findings.ts';
import { compareQuantities, isMultipleOf } from '../../quantities.ts';
import {
  checkContainerResourceName,
  checkResourceQuantity,
  isHugePages,
  isNativeResource,
  isOvercommitAllowed,
} from '../resource-names.ts';

const podLevelResources = ['cpu', 'memory'];
const restartChoices = ['NotRequired', 'RestartContainer'];

/** `claimNames` are those of spec.resourceClaims. */
export function checkResources(
  findings: Findings,
  resources: ResourceRequirements | undefined,
  claimNames: ReadonlySet<string>,
  path: string,
): void {
  if (resources === undefined) return;
  const limits = resources.limits ?? {};
  const requests = resources.requests ?? {};
  for (const name in limits) checkEntry(findings, name, limits[name] ?? '', `${path}.limits[${name}]`);
  for (const name in requests) {
    const quantity = requests[name] ?? '';
    checkEntry(findings, name, quantity, `${path}.requests[${name}]`);
    checkAgainstLimit(findings, name, quantity, limits, path);
  }
  if (usesHugePagesAlone(limits, requests)) findings.push(forbidden(path, 'HugePages require cpu or memory'));
  if (resources.claims !== undefined) checkClaimNames(findings, resources.claims, claimNames, `${path}.claims`);
}

/** Requests and limits of the pod as a whole: only cpu, memory and huge pages, and never below its containers'. */
export function checkPodLevelResources(findings: Findings, spec: PodSpec, path: string): void {
  const resources = spec.resources;
  if (resources === undefined) return;
  if (resources.claims !== undefined && resources.claims.length > 0) {
    findings.push(forbidden(`${path}.claims`, 'claims cannot be set for Resources at pod-level'));
  }
  for (const part of ['limits', 'requests'] as const) {
    for (const name in resources[part]) {
      const at = `${path}.${part}[${name}]`;
      if (!podLevelResources.includes(name) && !isHugePages(name)) {
        findings.push(notSupported(at, name, [...podLevelResources, 'hugepages-']));
      } else {
        checkResourceQuantity(findings, name, resources[part]?.[name] ?? '', at);
      }
    }
  }
  for (const name in resources.requests) {
    checkAgainstLimit(findings, name, resources.requests[name] ?? '', resources.limits ?? {}, path);
  }
}

export function checkResizePolicy(
  findings: Findings,
  policies: readonly ContainerResizePolicy[] | undefined,
  podRestartPolicy: string | undefined,
  path: string,
): void {
  if (policies === undefined) return;
  const seen = new Set<string>();
  for (const [index, policy] of policies.entries()) {
    if (seen.has(policy.resourceName)) findings.push(duplicate(`${path}[${index}]`, policy.resourceName));
    seen.add(policy.resourceName);
    if (policy.resourceName === '') findings.push(required(path, ''));
    else checkSupported(findings, policy.resourceName, podLevelResources, path);
    if (policy.restartPolicy === '') findings.push(required(path, ''));
    else checkSupported(findings, policy.restartPolicy, restartChoices, path);
    if (podRestartPolicy === 'Never' && policy.restartPolicy !== 'NotRequired') {
      findings.push(invalid(path, policy.restartPolicy, "must be 'NotRequired' when `restartPolicy` is 'Never'"));
    }
  }
}

/** Checks spec.resourceClaims and returns the names that containers may refer to. */
export function checkPodClaims(
  findings: Findings,
  claims: readonly PodResourceClaim[] | undefined,
  path: string,
): ReadonlySet<string> {
  if (claims === undefined || claims.length === 0) return noClaims;
  const names = new Set<string>();
  for (const [index, claim] of claims.entries()) {
    const at = `${path}[${index}]`;
    if (claim.name === '') findings.push(required(`${at}.name`, ''));
    else if (names.has(claim.name)) findings.push(duplicate(`${at}.name`, claim.name));
    else checkDnsLabel(findings, claim.name, `${at}.name`);
    if (claim.name !== '') names.add(claim.name);
    const { resourceClaimName, resourceClaimTemplateName } = claim;
    if (resourceClaimName !== undefined && resourceClaimTemplateName !== undefined) {
      const detail = 'at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified';
      findings.push(invalid(at, claim, detail));
    }
    if (resourceClaimName === undefined && resourceClaimTemplateName === undefined) {
      const detail = 'must specify one of: `resourceClaimName`, `resourceClaimTemplateName`';
      findings.push(invalid(at, claim, detail));
    }
    if (resourceClaimName !== undefined) checkDnsSubdomain(findings, resourceClaimName, `${at}.resourceClaimName`);
    if (resourceClaimTemplateName !== undefined) {
      checkDnsSubdomain(findings, resourceClaimTemplateName, `${at}.resourceClaimTemplateName`);
    }
  }
  return names;
}

export function checkOverhead(findings: Findings, overhead: StringMap | undefined, path: string): void {
  for (const name in overhead) {
    const at = `${path}.limits[${name}]`;
    checkContainerResourceName(findings, name, at);
    checkResourceQuantity(findings, name, overhead[name] ?? '', at);
  }
}

const noClaims: ReadonlySet<string> = new Set();

function checkEntry(findings: Findings, name: string, quantity: string, path: string): void {
  checkContainerResourceName(findings, name, path);
  checkResourceQuantity(findings, name, quantity, path);
  if (isHugePages(name) && !isMultipleOf(quantity, name.slice('hugepages-'.length))) {
    findings.push(invalid(path, quantity, `${quantity} is not positive integer multiple of ${name}`));
  }
}

function checkAgainstLimit(findings: Findings, name: string, request: string, limits: StringMap, path: string): void {
  const limit = limits[name];
  if (limit === undefined) {
    if (!isOvercommitAllowed(name)) {
      findings.push(required(`${path}.limits`, 'Limit must be set for non overcommitable resources'));
    }
    return;
  }
  const order = compareQuantities(request, limit);
  if (order !== 0 && !isOvercommitAllowed(name)) {
    findings.push(invalid(`${path}.requests`, request, `must be equal to ${name} limit of ${limit}`));
  } else if (order > 0) {
    findings.push(invalid(`${path}.requests`, request, `must be less than or equal to ${name} limit of ${limit}`));
  }
}

function usesHugePagesAlone(limits: StringMap, requests: StringMap): boolean {
  const names = [...Object.keys(limits), ...Object.keys(requests)];
  return names.some((name) => isNativeResource(name) && isHugePages(name)) && !names.some(isComputeResource);
}

function isComputeResource(name: string): boolean {
  return name === 'cpu' || name === 'memory';
}

function checkClaimNames(
  findings: Findings,
  claims: NonNullable<ResourceRequirements['claims']>,
  claimNames: ReadonlySet<string>,
  path: string,
): void {
  const seen = new Set<string>();
  for (const [index, claim] of claims.entries()) {
    const at = `${path}[${index}]`;
    if (claim.name === '') {
      findings.push(required(`${at}.name`, ''));
      continue;
    }
    const key = claim.request ? `${claim.name}/${claim.request}` : claim.name;
    if (seen.has(key)) findings.push(duplicate(at, key));
    seen.add(key);
    if (claimNames.has(claim.name)) continue;
    const known = claimNames.size === 0 ? ' which is empty' : `: ${[...claimNames].sort().join(', ')}`;
    findings.push(notFound(at, claim.name, `must be one of the names in pod.spec.resourceClaims${known}`));
  }
}
