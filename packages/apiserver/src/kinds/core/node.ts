import type { Node } from '@wherry/api';
import { checkCidr, isIpv6 } from '../addresses.ts';
import { ageColumn, nameColumn, none, text, wide } from '../cells.ts';
import { sameValue } from '../equality.ts';
import { duplicate, type Findings, forbidden, invalid } from '../findings.ts';
import { asPrefix, dns1123Subdomain } from '../names.ts';
import { strategyOf } from '../plain.ts';
import { checkTaints } from './pod/scheduling.ts';
import { checkResourceQuantity } from './resource-names.ts';

const rolePrefix = 'node-role.kubernetes.io/';
const onlyOnce = 'except from "" to valid';

export const nodeStrategy = strategyOf<Node>({
  validateName: asPrefix(dns1123Subdomain),
  // A kubelet registers with what it knows of itself, in one request.
  statusOnCreate: 'keep',
  prepareForCreate: withPodCidrs,
  prepareForUpdate: withPodCidrs,
  check: (findings, node) => {
    checkTaints(findings, node.spec?.taints, 'metadata.taints');
    checkNodeResources(findings, node);
  },
  checkCreate: (findings, node) => checkPodCidrs(findings, node.spec?.podCIDRs ?? []),
  checkUpdate: checkNodeUpdate,
  checkStatus: (findings, next, old) => {
    checkNodeUpdate(findings, next, old);
    checkNodeResources(findings, next);
  },
  fieldSelectors: { 'spec.unschedulable': (node) => String(node.spec?.unschedulable ?? false) },
  columns: [
    nameColumn,
    text('Status', status),
    text('Roles', (node) => roles(node).join(',') || none),
    ageColumn,
    text('Version', (node) => node.status?.nodeInfo?.kubeletVersion ?? ''),
    wide(text('Internal-IP', (node) => address(node, 'InternalIP'))),
    wide(text('External-IP', (node) => address(node, 'ExternalIP'))),
    wide(text('OS-Image', (node) => node.status?.nodeInfo?.osImage || '<unknown>')),
    wide(text('Kernel-Version', (node) => node.status?.nodeInfo?.kernelVersion || '<unknown>')),
    wide(text('Container-Runtime', (node) => node.status?.nodeInfo?.containerRuntimeVersion || '<unknown>')),
  ],
});

/** podCIDR is the first of podCIDRs; clients may set either. */
function withPodCidrs(node: Node): Node {
  const { podCIDR, podCIDRs } = node.spec ?? {};
  const first = podCIDRs?.[0];
  if (podCIDR && first === undefined) return { ...node, spec: { ...node.spec, podCIDRs: [podCIDR] } };
  if (!podCIDR && first !== undefined) return { ...node, spec: { ...node.spec, podCIDR: first } };
  return node;
}

function checkNodeResources(findings: Findings, node: Node): void {
  for (const part of ['capacity', 'allocatable'] as const) {
    const resources = node.status?.[part];
    for (const name in resources) {
      checkResourceQuantity(findings, name, resources[name] ?? '', `status.${part}.${name}`);
    }
  }
}

function checkPodCidrs(findings: Findings, cidrs: readonly string[]): void {
  const path = 'spec.podCIDRs';
  for (const [index, cidr] of cidrs.entries()) checkCidr(findings, cidr, `${path}[${index}]`);
  if (cidrs.length < 2) return;
  const isV6 = (cidr: string): boolean => isIpv6(cidr.slice(0, cidr.indexOf('/')));
  if (cidrs.length > 2 || !cidrs.some(isV6) || cidrs.every(isV6)) {
    findings.push(invalid(path, cidrs, 'may specify no more than one CIDR for each IP family'));
  }
  for (const [index, cidr] of cidrs.entries()) {
    if (cidrs.indexOf(cidr) < index) findings.push(duplicate(`${path}[${index}]`, cidr));
  }
}

function checkNodeUpdate(findings: Findings, next: Node, old: Node): void {
  const addresses = new Set<string>();
  for (const [index, entry] of (next.status?.addresses ?? []).entries()) {
    const key = `${entry.type} ${entry.address}`;
    if (addresses.has(key)) findings.push(duplicate(`status.addresses[${index}]`, entry));
    addresses.add(key);
  }
  const oldCidrs = old.spec?.podCIDRs ?? [];
  if (oldCidrs.length > 0 && !sameValue(next.spec?.podCIDRs, oldCidrs)) {
    findings.push(forbidden('spec.podCIDRs', `node updates may not change podCIDR ${onlyOnce}`));
  }
  const oldProvider = old.spec?.providerID ?? '';
  if (oldProvider !== '' && next.spec?.providerID !== oldProvider) {
    findings.push(forbidden('spec.providerID', `node updates may not change providerID ${onlyOnce}`));
  }
  if ((next.spec?.externalID ?? '') !== (old.spec?.externalID ?? '')) {
    findings.push(forbidden('spec.externalID', 'may not be updated'));
  }
}

function status(node: Node): string {
  const ready = (node.status?.conditions ?? []).find((condition) => condition.type === 'Ready');
  const state = ready === undefined ? 'Unknown' : ready.status === 'True' ? 'Ready' : 'NotReady';
  return node.spec?.unschedulable === true ? `${state},SchedulingDisabled` : state;
}

function roles(node: Node): readonly string[] {
  const found = new Set<string>();
  const labels = node.metadata?.labels ?? {};
  for (const key in labels) {
    if (key.startsWith(rolePrefix) && key.length > rolePrefix.length) found.add(key.slice(rolePrefix.length));
    else if (key === 'kubernetes.io/role' && labels[key]) found.add(labels[key]);
  }
  return [...found].sort();
}

function address(node: Node, type: string): string {
  return (node.status?.addresses ?? []).find((entry) => entry.type === type)?.address ?? none;
}
