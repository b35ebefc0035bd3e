// The load balancer part of a status, which Services and Ingresses share.

import { parseIp } from '../../addresses.ts';
import { checkDnsSubdomain, checkSupported } from '../../checks.ts';
import { type Findings, forbidden, invalid, required } from '../../findings.ts';

interface IngressPoint {
  readonly ip?: string;
  readonly hostname?: string;
  readonly ipMode?: string;
}

export function checkIngressPoints(
  findings: Findings,
  points: readonly IngressPoint[] | undefined,
  usesIpMode: boolean,
  path: string,
): void {
  for (const [index, point] of (points ?? []).entries()) {
    const at = `${path}[${index}]`;
    if (point.ip && parseIp(point.ip) === undefined) {
      findings.push(invalid(`${at}.ip`, point.ip, 'must be a valid IP address'));
    }
    if (usesIpMode) checkIpMode(findings, point, `${at}.ipMode`);
    if (!point.hostname) continue;
    checkDnsSubdomain(findings, point.hostname, `${at}.hostname`);
    if (parseIp(point.hostname) !== undefined) {
      findings.push(invalid(`${at}.hostname`, point.hostname, 'must be a DNS name, not an IP address'));
    }
  }
}

/** The addresses or names in alphabetical order, each once. */
export function ingressPointsText(points: readonly IngressPoint[] | undefined): string {
  const names = (points ?? []).flatMap((point) => point.ip || point.hostname || []);
  return [...new Set(names)].sort().join(',');
}

function checkIpMode(findings: Findings, point: IngressPoint, path: string): void {
  if (point.ip) {
    if (point.ipMode === undefined) findings.push(required(path, 'must be specified when `ip` is set'));
    checkSupported(findings, point.ipMode, ['Proxy', 'VIP'], path);
  } else if (point.ipMode !== undefined) {
    findings.push(forbidden(path, 'may not be specified when `ip` is not set'));
  }
}
