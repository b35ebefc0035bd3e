import type { IPBlock, NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort, NetworkPolicySpec } from '@wherry/api';
import { isStrictSubset, parseCidr } from '../addresses.ts';
import { ageColumn, nameColumn, selectorText, text } from '../cells.ts';
import { checkLabelSelector, checkName, checkPortNumber, checkSupported } from '../checks.ts';
import { type Findings, forbidden, invalid, notSupported, required } from '../findings.ts';
import { asPrefix, dns1123Subdomain, portName } from '../names.ts';
import { strategyOf } from '../plain.ts';

const protocols = ['SCTP', 'TCP', 'UDP'];
const policyTypes = ['Ingress', 'Egress'];

export const networkPolicyStrategy = strategyOf<NetworkPolicy>({
  validateName: asPrefix(dns1123Subdomain),
  generation: true,
  check: (findings, policy) => checkSpec(findings, policy.spec ?? {}),
  columns: [nameColumn, text('Pod-Selector', (policy) => selectorText(policy.spec?.podSelector)), ageColumn],
});

function checkSpec(findings: Findings, spec: NetworkPolicySpec): void {
  checkLabelSelector(findings, spec.podSelector, 'spec.podSelector');
  for (const [index, rule] of (spec.ingress ?? []).entries()) {
    checkRule(findings, rule.ports ?? [], rule.from ?? [], `spec.ingress[${index}]`, 'from');
  }
  for (const [index, rule] of (spec.egress ?? []).entries()) {
    checkRule(findings, rule.ports ?? [], rule.to ?? [], `spec.egress[${index}]`, 'to');
  }
  const types = spec.policyTypes ?? [];
  if (types.length > policyTypes.length) {
    findings.push(invalid('spec.policyTypes', types, 'may not specify more than two policyTypes'));
    return;
  }
  for (const [index, type] of types.entries()) {
    if (!policyTypes.includes(type)) findings.push(notSupported(`spec.policyTypes[${index}]`, type, policyTypes));
  }
}

function checkRule(
  findings: Findings,
  ports: readonly NetworkPolicyPort[],
  peers: readonly NetworkPolicyPeer[],
  path: string,
  peersField: string,
): void {
  for (const [index, port] of ports.entries()) checkPort(findings, port, `${path}.ports[${index}]`);
  for (const [index, peer] of peers.entries()) checkPeer(findings, peer, `${path}.${peersField}[${index}]`);
}

function checkPort(findings: Findings, { endPort, port, protocol }: NetworkPolicyPort, path: string): void {
  checkSupported(findings, protocol, protocols, `${path}.protocol`);
  if (typeof port === 'number') {
    checkPortNumber(findings, port, `${path}.port`);
    if (endPort === undefined) return;
    if (endPort < port) {
      findings.push(invalid(`${path}.endPort`, port, 'must be greater than or equal to `port`'));
    }
    checkPortNumber(findings, endPort, `${path}.endPort`);
  } else if (typeof port === 'string') {
    if (endPort !== undefined) {
      findings.push(invalid(`${path}.endPort`, endPort, 'may not be specified when `port` is non-numeric'));
    }
    checkName(findings, portName, port, `${path}.port`);
  } else if (endPort !== undefined) {
    findings.push(invalid(`${path}.endPort`, endPort, 'may not be specified when `port` is not specified'));
  }
}

function checkPeer(findings: Findings, peer: NetworkPolicyPeer, path: string): void {
  const { ipBlock, namespaceSelector, podSelector } = peer;
  checkLabelSelector(findings, podSelector, `${path}.podSelector`);
  checkLabelSelector(findings, namespaceSelector, `${path}.namespaceSelector`);
  if (ipBlock !== undefined) checkBlock(findings, ipBlock, `${path}.ipBlock`);
  const count = [podSelector, namespaceSelector, ipBlock].filter((part) => part !== undefined).length;
  if (count === 0) findings.push(required(path, 'must specify a peer'));
  else if (count > 1 && ipBlock !== undefined) {
    findings.push(forbidden(path, 'may not specify both ipBlock and another peer'));
  }
}

function checkBlock(findings: Findings, block: IPBlock, path: string): void {
  if (block.cidr === '') {
    findings.push(required(`${path}.cidr`, ''));
    return;
  }
  const detail = 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)';
  const whole = parseCidr(block.cidr);
  if (whole === undefined) {
    findings.push(invalid(`${path}.cidr`, block.cidr, detail));
    return;
  }
  for (const [index, except] of (block.except ?? []).entries()) {
    const at = `${path}.except[${index}]`;
    const part = parseCidr(except);
    if (part === undefined) {
      findings.push(invalid(at, except, detail));
      return;
    }
    if (!isStrictSubset(whole, part)) findings.push(invalid(at, except, 'must be a strict subset of `cidr`'));
  }
}
