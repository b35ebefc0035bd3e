import type { HostAlias, PodDNSConfig, PodSpec } from '@wherry/api';
import { checkIp } from '../../addresses.ts';
import { checkDnsLabel, checkDnsSubdomain, checkOneOf } from '../../checks.ts';
import { type Findings, forbidden, invalid, required } from '../../findings.ts';

const dnsPolicies = ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None'];
const nameserversMax = 3;
const searchesMax = 32;
const searchesLengthMax = 2048;

/** How the pod is named and finds names; `isPod` is false for the pod of a template. */
export function checkPodNetwork(findings: Findings, spec: PodSpec, path: string, isPod: boolean): void {
  checkOneOf(findings, spec.dnsPolicy, dnsPolicies, `${path}.dnsPolicy`);
  checkDnsConfig(findings, spec.dnsConfig, spec.dnsPolicy, `${path}.dnsConfig`);
  if (spec.hostname) checkDnsLabel(findings, spec.hostname, `${path}.hostname`);
  if (spec.subdomain) checkDnsLabel(findings, spec.subdomain, `${path}.subdomain`);
  if (spec.hostnameOverride !== undefined) checkHostnameOverride(findings, spec, spec.hostnameOverride, path);
  if (spec.hostAliases !== undefined) checkHostAliases(findings, spec.hostAliases, `${path}.hostAliases`);
  if (spec.hostNetwork === true) checkHostNetworkPorts(findings, spec, path, isPod);
}

function checkDnsConfig(
  findings: Findings,
  config: PodDNSConfig | undefined,
  policy: string | undefined,
  path: string,
): void {
  const nameservers = config?.nameservers ?? [];
  if (policy === 'None') {
    if (config === undefined) {
      findings.push(required(path, 'must provide `dnsConfig` when `dnsPolicy` is None'));
      return;
    }
    if (nameservers.length === 0) {
      const detail = 'must provide at least one DNS nameserver when `dnsPolicy` is None';
      findings.push(required(`${path}.nameservers`, detail));
      return;
    }
  }
  if (config === undefined) return;
  if (nameservers.length > nameserversMax) {
    const detail = `must not have more than ${nameserversMax} nameservers`;
    findings.push(invalid(`${path}.nameservers`, nameservers, detail));
  }
  for (const [index, server] of nameservers.entries()) checkIp(findings, server, `${path}.nameservers[${index}]`);
  checkSearches(findings, config.searches ?? [], `${path}.searches`);
  for (const [index, option] of (config.options ?? []).entries()) {
    if (!option.name) findings.push(required(`${path}.options[${index}]`, 'must not be empty'));
  }
}

function checkSearches(findings: Findings, searches: readonly string[], path: string): void {
  if (searches.length > searchesMax) {
    findings.push(invalid(path, searches, `must not have more than ${searchesMax} search paths`));
  }
  if (searches.join(' ').length > searchesLengthMax) {
    const detail = `must not have more than ${searchesLengthMax} characters (including spaces) in the search list`;
    findings.push(invalid(path, searches, detail));
  }
  for (const [index, search] of searches.entries()) {
    // A lone dot is the root domain, which stops the resolver from searching.
    if (search !== '.') checkDnsSubdomain(findings, search.replace(/\.$/, ''), `${path}[${index}]`);
  }
}

function checkHostnameOverride(findings: Findings, spec: PodSpec, name: string, path: string): void {
  const at = `${path}.hostnameOverride`;
  if (spec.hostNetwork === true) findings.push(forbidden(at, 'may not be specified when hostNetwork is true'));
  if (spec.setHostnameAsFQDN === true) {
    findings.push(forbidden(at, 'may not be specified when setHostnameAsFQDN is true'));
  }
  checkDnsSubdomain(findings, name, at);
  if (name.length > 64) findings.push(invalid(at, name, 'must be no more than 64 characters'));
}

function checkHostAliases(findings: Findings, aliases: readonly HostAlias[], path: string): void {
  for (const [index, alias] of aliases.entries()) {
    checkIp(findings, alias.ip, `${path}[${index}].ip`);
    for (const [position, hostname] of (alias.hostnames ?? []).entries()) {
      checkDnsSubdomain(findings, hostname, `${path}[${index}].hostnames[${position}]`);
    }
  }
}

/** On the host's network a port cannot be another one outside; in a template it may still be undecided. */
function checkHostNetworkPorts(findings: Findings, spec: PodSpec, path: string, isPod: boolean): void {
  for (const [index, container] of spec.containers.entries()) {
    for (const [position, port] of (container.ports ?? []).entries()) {
      const hostPort = port.hostPort ?? 0;
      if ((!isPod && hostPort === 0) || hostPort === port.containerPort) continue;
      const at = `${path}.containers[${index}].ports[${position}].hostPort`;
      findings.push(invalid(at, hostPort, 'must match `containerPort` when `hostNetwork` is true'));
    }
  }
}
