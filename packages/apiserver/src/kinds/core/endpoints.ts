import type { EndpointAddress, Endpoints } from '@wherry/api';
import { checkIp, checkNonSpecialIp, isIpv6 } from '../addresses.ts';
import { ageColumn, nameColumn, none, shortList, text } from '../cells.ts';
import { checkDnsLabel, checkDnsSubdomain, checkOneOf, checkPortNumber, checkQualifiedName } from '../checks.ts';
import { type Findings, required } from '../findings.ts';
import { asPrefix, dns1123Subdomain } from '../names.ts';
import { strategyOf } from '../plain.ts';

const protocols = ['SCTP', 'TCP', 'UDP'];
const shownMax = 3;

export const endpointsStrategy = strategyOf<Endpoints>({
  validateName: asPrefix(dns1123Subdomain),
  allowCreateOnUpdate: true,
  check: checkEndpoints,
  columns: [nameColumn, text('Endpoints', endpointsText), ageColumn],
});

function checkEndpoints(findings: Findings, endpoints: Endpoints): void {
  for (const [index, subset] of (endpoints.subsets ?? []).entries()) {
    const at = `subsets[${index}]`;
    const addresses = subset.addresses ?? [];
    const notReady = subset.notReadyAddresses ?? [];
    if (addresses.length + notReady.length === 0) {
      findings.push(required(at, 'must specify `addresses` or `notReadyAddresses`'));
    }
    for (const [i, address] of addresses.entries()) checkAddress(findings, address, `${at}.addresses[${i}]`);
    for (const [i, address] of notReady.entries()) checkAddress(findings, address, `${at}.notReadyAddresses[${i}]`);
    const ports = subset.ports ?? [];
    for (const [i, port] of ports.entries()) {
      const portAt = `${at}.ports[${i}]`;
      if (port.name) checkDnsLabel(findings, port.name, `${portAt}.name`);
      else if (ports.length > 1) findings.push(required(`${portAt}.name`, ''));
      checkPortNumber(findings, port.port, `${portAt}.port`);
      checkOneOf(findings, port.protocol, protocols, `${portAt}.protocol`);
      if (port.appProtocol !== undefined) checkQualifiedName(findings, port.appProtocol, `${portAt}.appProtocol`);
    }
  }
}

function checkAddress(findings: Findings, address: EndpointAddress, path: string): void {
  const isAddress = checkIp(findings, address.ip, `${path}.ip`);
  if (address.hostname) checkDnsLabel(findings, address.hostname, `${path}.hostname`);
  if (address.nodeName !== undefined) checkDnsSubdomain(findings, address.nodeName, `${path}.nodeName`);
  if (isAddress) checkNonSpecialIp(findings, address.ip, `${path}.ip`);
}

function endpointsText(endpoints: Endpoints): string {
  const subsets = endpoints.subsets ?? [];
  if (subsets.length === 0) return none;
  const shown = subsets.flatMap(({ addresses = [], ports = [] }) => {
    if (ports.length === 0) return addresses.map(({ ip }) => ip);
    return ports.flatMap(({ port }) => addresses.map(({ ip }) => (isIpv6(ip) ? `[${ip}]:${port}` : `${ip}:${port}`)));
  });
  return shortList(shown, shownMax, shown.length);
}
