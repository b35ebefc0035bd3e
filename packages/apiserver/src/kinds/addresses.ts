import { type Findings, invalid } from './findings.ts';

/** An IP address as its bytes: 4 of them or 16. */
export type IpBytes = readonly number[];

export interface Cidr {
  readonly address: IpBytes;
  readonly prefixLength: number;
}

const ipMessage = 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)';
const cidrMessage = 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)';

/** Undefined when `text` is no address. IPv4 octets may have leading zeros, as upstream still reads them. */
export function parseIp(text: string): IpBytes | undefined {
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text);
}

export function parseCidr(text: string): Cidr | undefined {
  const cut = text.indexOf('/');
  if (cut === -1) return undefined;
  const address = parseIp(text.slice(0, cut));
  const length = text.slice(cut + 1);
  if (address === undefined || !/^\d{1,3}$/.test(length)) return undefined;
  const prefixLength = Number(length);
  return prefixLength <= address.length * 8 ? { address, prefixLength } : undefined;
}

export function isIpv6(text: string): boolean {
  return parseIp(text)?.length === 16;
}

export function checkIp(findings: Findings, value: string, path: string): boolean {
  if (parseIp(value) !== undefined) return true;
  findings.push(invalid(path, value, ipMessage));
  return false;
}

export function checkCidr(findings: Findings, value: string, path: string): boolean {
  if (parseCidr(value) !== undefined) return true;
  findings.push(invalid(path, value, cidrMessage));
  return false;
}

/** Whether `inner` lies in `outer` and is smaller. */
export function isStrictSubset(outer: Cidr, inner: Cidr): boolean {
  return outer.prefixLength < inner.prefixLength && contains(outer, inner.address);
}

export function contains(block: Cidr, address: IpBytes): boolean {
  if (block.address.length !== address.length) return false;
  let bits = block.prefixLength;
  for (let i = 0; i < address.length && bits > 0; i++, bits -= 8) {
    const mask = bits >= 8 ? 0xff : (0xff << (8 - bits)) & 0xff;
    if (((block.address[i] ?? 0) & mask) !== ((address[i] ?? 0) & mask)) return false;
  }
  return true;
}

/** Addresses that no endpoint outside one host can have: unspecified, loopback, link-local. */
export function checkNonSpecialIp(findings: Findings, value: string, path: string): void {
  const ip = parseIp(value);
  if (ip === undefined) {
    findings.push(invalid(path, value, 'must be a valid IP address'));
    return;
  }
  if (ip.every((byte) => byte === 0)) findings.push(invalid(path, value, `may not be unspecified (${value})`));
  if (ranges.loopback.some((range) => contains(range, ip))) {
    findings.push(invalid(path, value, 'may not be in the loopback range (127.0.0.0/8, ::1/128)'));
  }
  if (ranges.linkLocal.some((range) => contains(range, ip))) {
    findings.push(invalid(path, value, 'may not be in the link-local range (169.254.0.0/16, fe80::/10)'));
  }
  if (ranges.linkLocalMulticast.some((range) => contains(range, ip))) {
    findings.push(invalid(path, value, 'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)'));
  }
}

function parseIpv4(text: string): number[] | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  const bytes: number[] = [];
  for (const part of parts) {
    if (!/^\d{1,10}$/.test(part)) return undefined;
    const byte = Number(part);
    if (byte > 255) return undefined;
    bytes.push(byte);
  }
  return bytes;
}

function parseIpv6(text: string): number[] | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const head = parseGroups(halves[0] ?? '');
  if (halves.length === 1) return head?.length === 16 ? head : undefined;
  const tail = parseGroups(halves[1] ?? '');
  if (head === undefined || tail === undefined) return undefined;
  const missing = 16 - head.length - tail.length;
  return missing >= 2 ? [...head, ...new Array<number>(missing).fill(0), ...tail] : undefined;
}

function parseGroups(text: string): number[] | undefined {
  if (text === '') return [];
  const bytes: number[] = [];
  const groups = text.split(':');
  for (const [index, group] of groups.entries()) {
    if (index === groups.length - 1 && group.includes('.')) {
      const embedded = parseIpv4(group);
      if (embedded === undefined) return undefined;
      bytes.push(...embedded);
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(group)) return undefined;
      const value = Number.parseInt(group, 16);
      bytes.push(value >> 8, value & 0xff);
    }
  }
  return bytes;
}

function range(text: string): Cidr {
  const block = parseCidr(text);
  if (block === undefined) throw new Error(`Cannot read the address range ${text}`);
  return block;
}

const ranges = {
  loopback: [range('127.0.0.0/8'), range('::1/128')],
  linkLocal: [range('169.254.0.0/16'), range('fe80::/10')],
  linkLocalMulticast: [range('224.0.0.0/24'), range('ff02::/16')],
};
