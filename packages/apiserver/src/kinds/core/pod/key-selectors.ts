// References from a pod to keys, fields and resources of other objects; shared by env and by projected volumes.
import type { ObjectFieldSelector, ResourceFieldSelector } from '@wherry/api';
import { checkName, checkRequired } from '../../checks.ts';
import { type Findings, invalid, notSupported, required } from '../../findings.ts';
import { configMapKey, dns1123Subdomain, qualifiedName } from '../../names.ts';
import { isZeroQuantity, sameQuantity } from '../../quantities.ts';

const environmentFields = [
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
];

const volumeFields = ['metadata.annotations', 'metadata.labels', 'metadata.name', 'metadata.namespace', 'metadata.uid'];

const containerResources = [
  'limits.cpu',
  'limits.ephemeral-storage',
  'limits.memory',
  'requests.cpu',
  'requests.ephemeral-storage',
  'requests.memory',
];

const sizeDivisors = ['1', '1k', '1M', '1G', '1T', '1P', '1E', '1Ki', '1Mi', '1Gi', '1Ti', '1Pi', '1Ei'];

/** Everything the downward API can name, for telling an unknown label from one not allowed here. */
const knownFields = new Set([...environmentFields, ...volumeFields, 'spec.restartPolicy']);

const subscripted = /^(.*)\['([^']*)'\]$/;

/** `key` of a ConfigMap or Secret called `name`. */
export function checkKeySelector(
  findings: Findings,
  selector: { readonly name?: string; readonly key: string },
  path: string,
): void {
  checkName(findings, dns1123Subdomain, selector.name ?? '', `${path}.name`);
  if (checkRequired(findings, selector.key, `${path}.key`)) {
    checkName(findings, configMapKey, selector.key, `${path}.key`);
  }
}

export function checkObjectField(
  findings: Findings,
  selector: ObjectFieldSelector,
  use: 'environment' | 'volume',
  path: string,
): void {
  if (!checkRequired(findings, selector.apiVersion, `${path}.apiVersion`)) return;
  if (!checkRequired(findings, selector.fieldPath, `${path}.fieldPath`)) return;
  const parts = subscripted.exec(selector.fieldPath);
  const field = parts?.[1] ?? selector.fieldPath;
  if (selector.apiVersion !== 'v1' || !knownFields.has(field)) {
    const detail =
      selector.apiVersion === 'v1'
        ? `error converting fieldPath: field label not supported: ${selector.fieldPath}`
        : `error converting fieldPath: unsupported pod version: ${selector.apiVersion}`;
    findings.push(invalid(`${path}.fieldPath`, selector.fieldPath, detail));
    return;
  }
  if (parts !== null) {
    checkSubscript(findings, field, parts[2] ?? '', path);
    return;
  }
  const allowed = use === 'environment' ? environmentFields : volumeFields;
  if (!allowed.includes(field)) findings.push(notSupported(`${path}.fieldPath`, field, allowed));
}

export function checkResourceField(
  findings: Findings,
  selector: ResourceFieldSelector,
  use: 'environment' | 'volume',
  path: string,
): void {
  const { resource } = selector;
  if (use === 'volume' && !selector.containerName) {
    findings.push(required(`${path}.containerName`, ''));
  } else if (checkRequired(findings, resource, `${path}.resource`)) {
    const known = containerResources.includes(resource) || isHugePagesField(resource);
    if (!known) findings.push(notSupported(`${path}.resource`, resource, containerResources));
  }
  checkDivisor(findings, resource, selector.divisor, `${path}.divisor`);
}

function checkSubscript(findings: Findings, field: string, subscript: string, path: string): void {
  if (field === 'metadata.annotations') checkName(findings, qualifiedName, subscript.toLowerCase(), path);
  else if (field === 'metadata.labels') checkName(findings, qualifiedName, subscript, path);
  else findings.push(invalid(path, field, 'does not support subscript'));
}

function isHugePagesField(resource: string): boolean {
  return resource.startsWith('requests.hugepages-') || resource.startsWith('limits.hugepages-');
}

function checkDivisor(findings: Findings, resource: string, divisor: string | undefined, path: string): void {
  if (divisor === undefined || isZeroQuantity(divisor)) return;
  const isOneOf = (allowed: readonly string[]): boolean => allowed.some((each) => sameQuantity(each, divisor));
  const kind = resource.slice(resource.indexOf('.') + 1);
  if (kind === 'cpu') {
    if (!isOneOf(['1m', '1'])) {
      findings.push(invalid(path, resource, "only divisor's values 1m and 1 are supported with the cpu resource"));
    }
    return;
  }
  const what =
    kind === 'memory'
      ? 'memory'
      : kind === 'ephemeral-storage'
        ? 'local ephemeral storage'
        : isHugePagesField(resource)
          ? 'hugepages'
          : '';
  if (what !== '' && !isOneOf(sizeDivisors)) {
    const values = sizeDivisors.join(', ');
    findings.push(invalid(path, resource, `only divisor's values ${values} are supported with the ${what} resource`));
  }
}
