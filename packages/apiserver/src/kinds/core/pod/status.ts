import type { ContainerStatus, Pod, PodCondition, PodSpec } from '@wherry/api';
import { checkIp, isIpv6 } from '../../addresses.ts';
import { checkDnsSubdomain, checkQualifiedName, checkRange } from '../../checks.ts';
import { duplicate, type Findings, forbidden, invalid } from '../../findings.ts';
import { checkAnnotationUpdates } from './update.ts';
import { isSidecar } from './walk.ts';

const systemConditions = new Set(['PodScheduled', 'Ready', 'Initialized']);
const identityMax = 2_147_483_647;

/** A status may say anything but the impossible: a finished container that runs again, an address that is none. */
export function checkPodStatusUpdate(findings: Findings, next: Pod, old: Pod): void {
  const status = next.status ?? {};
  const oldStatus = old.status ?? {};
  const spec = old.spec ?? { containers: [] };
  checkAnnotationUpdates(findings, next.metadata, old.metadata);
  // Upstream reports conditions below metadata.
  checkConditions(findings, status.conditions, 'metadata.conditions');
  if (next.spec?.nodeName !== old.spec?.nodeName) {
    findings.push(forbidden('status.nodeName', 'may not be changed directly'));
  }
  if (status.nominatedNodeName && status.nominatedNodeName !== oldStatus.nominatedNodeName) {
    checkDnsSubdomain(findings, status.nominatedNodeName, 'status.nominatedNodeName');
  }
  for (const field of ['containerStatuses', 'initContainerStatuses', 'ephemeralContainerStatuses'] as const) {
    checkTransitions(findings, status[field], oldStatus[field], spec, field);
    checkUsers(findings, status[field], `status.${field}`);
  }
  checkIps(findings, status.podIPs, 'status.podIPs');
  const hostIps = status.hostIPs ?? [];
  if (hostIps.length > 0 && status.hostIP !== hostIps[0]?.ip) {
    findings.push(invalid('status.hostIPs[0].ip', hostIps[0]?.ip, 'must be equal to `hostIP`'));
  }
  checkIps(findings, hostIps, 'status.hostIPs');
}

function checkConditions(findings: Findings, conditions: readonly PodCondition[] | undefined, path: string): void {
  for (const [index, condition] of (conditions ?? []).entries()) {
    if (systemConditions.has(condition.type)) continue;
    checkQualifiedName(findings, condition.type, `${path}[${index}].Type`);
  }
}

function checkTransitions(
  findings: Findings,
  next: readonly ContainerStatus[] | undefined,
  old: readonly ContainerStatus[] | undefined,
  spec: PodSpec,
  field: 'containerStatuses' | 'initContainerStatuses' | 'ephemeralContainerStatuses',
): void {
  // The kubelet never restarts ephemeral containers.
  const podPolicy = field === 'ephemeralContainerStatuses' ? 'Never' : spec.restartPolicy;
  for (const [index, before] of (old ?? []).entries()) {
    const terminated = before.state?.terminated;
    if (terminated === undefined) continue;
    const container = containerOf(spec, field, before.name);
    if (field === 'initContainerStatuses' && isSidecar(container)) continue;
    if ((container?.restartPolicyRules ?? []).length > 0) continue;
    const policy = container?.restartPolicy ?? podPolicy;
    if (policy === 'Always' || (policy === 'OnFailure' && terminated.exitCode !== 0)) continue;
    const after = (next ?? []).find((status) => status.name === before.name);
    if (after !== undefined && after.state?.terminated === undefined) {
      const detail = 'may not be transitioned to non-terminated state';
      findings.push(forbidden(`status.${field}[${index}].state`, detail));
    }
  }
}

function containerOf(spec: PodSpec, field: string, name: string): PodSpec['containers'][number] | undefined {
  const containers = field === 'initContainerStatuses' ? spec.initContainers : spec.containers;
  return field === 'ephemeralContainerStatuses' ? undefined : containers?.find((container) => container.name === name);
}

function checkUsers(findings: Findings, statuses: readonly ContainerStatus[] | undefined, path: string): void {
  for (const [index, status] of (statuses ?? []).entries()) {
    const user = status.user?.linux;
    if (user === undefined) continue;
    checkRange(findings, user.uid, 0, identityMax, `${path}[${index}].linux.uid`);
    checkRange(findings, user.gid, 0, identityMax, `${path}[${index}].linux.gid`);
  }
}

function checkIps(findings: Findings, ips: readonly { readonly ip: string }[] | undefined, path: string): void {
  if (ips === undefined) return;
  for (const [index, { ip }] of ips.entries()) checkIp(findings, ip, `${path}[${index}]`);
  if (ips.length < 2) return;
  const isDualStack = ips.some(({ ip }) => isIpv6(ip)) && ips.some(({ ip }) => !isIpv6(ip));
  if (!isDualStack || ips.length > 2) {
    findings.push(invalid(path, ips, 'may specify no more than one IP for each IP family'));
  }
  const seen = new Set<string>();
  for (const [index, entry] of ips.entries()) {
    if (seen.has(entry.ip)) findings.push(duplicate(`${path}[${index}]`, entry));
    seen.add(entry.ip);
  }
}
