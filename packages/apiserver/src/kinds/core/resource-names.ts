// Which names a compute or quota resource may have, and what its quantities may be.
import { checkName, notNegative } from '../checks.ts';
import { type Findings, invalid } from '../findings.ts';
import { qualifiedName } from '../names.ts';
import { isNegativeQuantity, isWholeQuantity } from '../quantities.ts';

const containerResources = new Set(['cpu', 'memory', 'ephemeral-storage']);

const quotaResources = new Set([
  'cpu',
  'memory',
  'ephemeral-storage',
  'requests.cpu',
  'requests.memory',
  'requests.storage',
  'requests.ephemeral-storage',
  'limits.cpu',
  'limits.memory',
  'limits.ephemeral-storage',
  'pods',
  'resourcequotas',
  'services',
  'replicationcontrollers',
  'secrets',
  'persistentvolumeclaims',
  'configmaps',
  'services.nodeports',
  'services.loadbalancers',
]);

/** Counted objects: a fraction of one makes no sense. */
const integerResources = new Set([
  'pods',
  'resourcequotas',
  'services',
  'replicationcontrollers',
  'secrets',
  'configmaps',
  'persistentvolumeclaims',
  'services.nodeports',
  'services.loadbalancers',
]);

export function isHugePages(name: string): boolean {
  return name.startsWith('hugepages-');
}

/** Resources that Kubernetes itself defines: no domain, or one of its own. */
export function isNativeResource(name: string): boolean {
  return !name.includes('/') || name.includes('kubernetes.io/');
}

export function isExtendedResource(name: string): boolean {
  if (isNativeResource(name) || name.startsWith('requests.')) return false;
  return qualifiedName(`requests.${name}`).length === 0;
}

/** Whether requests may be lower than limits. */
export function isOvercommitAllowed(name: string): boolean {
  return isNativeResource(name) && !isHugePages(name);
}

export function isStandardQuotaResource(name: string): boolean {
  return quotaResources.has(name) || isHugePages(name) || name.startsWith('requests.hugepages-');
}

function isStandardResource(name: string): boolean {
  return isStandardQuotaResource(name) || name === 'storage';
}

export function checkResourceName(findings: Findings, name: string, path: string): boolean {
  if (containerResources.has(name)) return true;
  if (!checkName(findings, qualifiedName, name, path)) return false;
  if (!name.includes('/') && !isStandardResource(name)) {
    findings.push(invalid(path, name, 'must be a standard resource type or fully qualified'));
    return false;
  }
  return true;
}

export function checkContainerResourceName(findings: Findings, name: string, path: string): void {
  if (containerResources.has(name)) return;
  checkResourceName(findings, name, path);
  if (!name.includes('/')) {
    if (!isHugePages(name)) findings.push(invalid(path, name, 'must be a standard resource for containers'));
  } else if (!isNativeResource(name) && !isExtendedResource(name)) {
    findings.push(invalid(path, name, "doesn't follow extended resource name standard"));
  }
}

export function checkQuotaResourceName(findings: Findings, name: string, path: string): void {
  checkResourceName(findings, name, path);
  if (!name.includes('/') && !isStandardQuotaResource(name)) {
    findings.push(invalid(path, name, 'must be a standard resource for quota'));
  }
}

/** A quantity of `name`: not negative, and whole where the resource is counted. */
export function checkResourceQuantity(findings: Findings, name: string, quantity: string, path: string): void {
  if (isNegativeQuantity(quantity)) findings.push(invalid(path, quantity, notNegative));
  if ((integerResources.has(name) || isExtendedResource(name)) && !isWholeQuantity(quantity)) {
    findings.push(invalid(path, quantity, 'must be an integer'));
  }
}
