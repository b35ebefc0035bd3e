import ipaddr from 'ipaddr.js';

/** A name as its labels, leftmost first, in lower case; the root is empty. */
export type Labels = readonly string[];

/** One IP address in its canonical spelling, so that equal addresses are equal texts. */
export interface Address {
  readonly family: 'A' | 'AAAA';
  readonly text: string;
}

const LABEL_LENGTH_MAX = 63;
const NAME_LENGTH_MAX = 253;

export function labelsOf(name: string): Labels {
  return name
    .toLowerCase()
    .split('.')
    .filter((label) => label !== '');
}

/** Labels of `name` left of `zone`, or undefined when it lies outside. */
export function labelsBelow(name: Labels, zone: Labels): Labels | undefined {
  const cut = name.length - zone.length;
  return cut >= 0 && zone.every((label, index) => name[cut + index] === label) ? name.slice(0, cut) : undefined;
}

/** Whether a text from the API can be written as a name at all. */
export function isEncodableName(name: string): boolean {
  const labels = labelsOf(name);
  return (
    labels.length > 0 && name.length <= NAME_LENGTH_MAX && labels.every((label) => label.length <= LABEL_LENGTH_MAX)
  );
}

/** @returns undefined when the text is no IP address */
export function parseAddress(text: string): Address | undefined {
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return { family: 'A', text: ipaddr.IPv4.parse(text).toString() };
  if (text.includes(':') && !text.includes('%') && ipaddr.IPv6.isValid(text)) {
    return { family: 'AAAA', text: ipaddr.IPv6.parse(text).toString() };
  }
  return undefined;
}

/** The label that stands for an address in names of pods and of endpoints without a hostname. */
export function dashed(address: string): string {
  return address.replaceAll(/[.:]/g, '-');
}

/** The address a pod's label stands for: three single dashes are an IPv4 address, all else is tried as IPv6. */
export function undashed(label: string): Address | undefined {
  const isIpv4 = label.split('-').length === 4 && !label.includes('--');
  return parseAddress(label.replaceAll('-', isIpv4 ? '.' : ':'));
}

/** The address of a complete name below in-addr.arpa or ip6.arpa. */
export function addressOfReverseName(name: Labels): Address | undefined {
  const ipv4 = labelsBelow(name, ['in-addr', 'arpa']);
  if (ipv4 !== undefined) return ipv4.length === 4 ? parseAddress(ipv4.toReversed().join('.')) : undefined;
  const nibbles = labelsBelow(name, ['ip6', 'arpa']);
  if (nibbles?.length !== 32 || !nibbles.every((nibble) => /^[0-9a-f]$/.test(nibble))) return undefined;
  const groups = nibbles.toReversed().join('').match(/.{4}/g);
  return groups === null ? undefined : parseAddress(groups.join(':'));
}
