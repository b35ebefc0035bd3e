import type { EndpointSlice } from '@wherry/api';
import { checkNonSpecialIp, isIpv6, parseIp } from '../addresses.ts';
import { ageColumn, nameColumn, text, unset } from '../cells.ts';
import {
  checkDnsLabel,
  checkDnsSubdomain,
  checkImmutable,
  checkName,
  checkOneOf,
  checkPortNumber,
  checkQualifiedName,
  checkSupported,
} from '../checks.ts';
import { duplicate, type Findings, invalid, required, tooMany } from '../findings.ts';
import { asPrefix, dns1123Subdomain, labelValue } from '../names.ts';
import { strategyOf } from '../plain.ts';

type SliceEndpoint = EndpointSlice['endpoints'][number];
type SlicePort = NonNullable<EndpointSlice['ports']>[number];

const addressTypes = ['FQDN', 'IPv4', 'IPv6'];
const protocols = ['SCTP', 'TCP', 'UDP'];
const endpointsMax = 1000;
const addressesMax = 100;
const portsMax = 20_000;
const hintsMax = 8;
const shownMax = 3;

export const endpointSliceStrategy = strategyOf<EndpointSlice>({
  validateName: asPrefix(dns1123Subdomain),
  generation: true,
  check: checkSlice,
  checkUpdate: (findings, next, old) => {
    checkImmutable(findings, next.addressType, old.addressType, 'addressType');
  },
  columns: [
    nameColumn,
    text('AddressType', (slice) => slice.addressType),
    text('Ports', (slice) => listText((slice.ports ?? []).map(({ name, port }) => String(port ?? name ?? '*')))),
    text('Endpoints', (slice) => listText((slice.endpoints ?? []).flatMap(({ addresses }) => addresses))),
    ageColumn,
  ],
});

function checkSlice(findings: Findings, slice: EndpointSlice): void {
  checkOneOf(findings, slice.addressType, addressTypes, 'addressType');
  const endpoints = slice.endpoints ?? [];
  if (endpoints.length > endpointsMax) findings.push(tooMany('endpoints', endpoints.length, endpointsMax));
  else {
    for (const [index, endpoint] of endpoints.entries()) {
      checkEndpoint(findings, endpoint, slice.addressType, `endpoints[${index}]`);
    }
  }
  const ports = slice.ports ?? [];
  if (ports.length > portsMax) findings.push(tooMany('ports', ports.length, portsMax));
  else checkPorts(findings, ports);
}

function checkEndpoint(findings: Findings, endpoint: SliceEndpoint, type: string, path: string): void {
  const addresses = endpoint.addresses ?? [];
  const at = `${path}.addresses`;
  if (addresses.length === 0) findings.push(required(at, 'must contain at least 1 address'));
  else if (addresses.length > addressesMax) findings.push(tooMany(at, addresses.length, addressesMax));
  for (const [index, address] of addresses.entries()) checkAddress(findings, address, type, `${at}[${index}]`);
  if (endpoint.nodeName !== undefined) checkDnsSubdomain(findings, endpoint.nodeName, `${path}.nodeName`);
  for (const key in endpoint.deprecatedTopology) {
    checkQualifiedName(findings, key, `${path}.deprecatedTopology[${key}]`);
    checkName(findings, labelValue, endpoint.deprecatedTopology[key] ?? '', `${path}.deprecatedTopology[${key}]`);
  }
  if (endpoint.hostname !== undefined) checkDnsLabel(findings, endpoint.hostname, `${path}.hostname`);
  const zones = endpoint.hints?.forZones ?? [];
  if (zones.length > hintsMax) findings.push(tooMany(`${path}.hints.forZones`, zones.length, hintsMax));
  for (const [index, { name }] of zones.entries()) {
    const zoneAt = `${path}.hints.forZones[${index}].name`;
    if (zones.findIndex((zone) => zone.name === name) < index) findings.push(duplicate(zoneAt, name));
    checkName(findings, labelValue, name, zoneAt);
  }
}

function checkAddress(findings: Findings, address: string, type: string, path: string): void {
  if (type === 'FQDN') {
    checkDnsSubdomain(findings, address, path);
    return;
  }
  if (type !== 'IPv4' && type !== 'IPv6') return;
  if (parseIp(address) === undefined || isIpv6(address) !== (type === 'IPv6')) {
    findings.push(invalid(path, address, `must be a valid ${type} address`));
  }
  checkNonSpecialIp(findings, address, path);
}

function checkPorts(findings: Findings, ports: readonly SlicePort[]): void {
  const names = new Set<string>();
  for (const [index, port] of ports.entries()) {
    const at = `ports[${index}]`;
    const name = port.name ?? '';
    if (name !== '') checkDnsLabel(findings, name, `${at}.name`);
    if (names.has(name)) findings.push(duplicate(`${at}.name`, name));
    names.add(name);
    if (port.protocol === undefined) findings.push(required(`${at}.protocol`, ''));
    else checkSupported(findings, port.protocol, protocols, `${at}.protocol`);
    if (port.port !== undefined) checkPortNumber(findings, port.port, `${at}.port`);
    if (port.appProtocol !== undefined) checkQualifiedName(findings, port.appProtocol, `${at}.appProtocol`);
  }
}

function listText(entries: readonly string[]): string {
  if (entries.length === 0) return unset;
  const shown = entries.slice(0, shownMax).join(',');
  return entries.length > shownMax ? `${shown} + ${entries.length - shownMax} more...` : shown;
}
