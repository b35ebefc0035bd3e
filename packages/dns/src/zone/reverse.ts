const IPV4 = '.in-addr.arpa';
const IPV6 = '.ip6.arpa';

export function isReverse(name: string): boolean {
  return name.endsWith(IPV4) || name.endsWith(IPV6);
}

/** The address a reverse name stands for, IPv6 in full; undefined for a part of one. */
export function reverseAddress(name: string): string | undefined {
  if (name.endsWith(IPV4)) {
    const octets = name.slice(0, -IPV4.length).split('.');
    const isWhole = octets.length === 4 && octets.every((octet) => /^\d{1,3}$/.test(octet));
    return isWhole ? octets.reverse().join('.') : undefined;
  }
  const nibbles = name.slice(0, -IPV6.length).split('.');
  if (nibbles.length !== 32 || !nibbles.every((nibble) => /^[\da-f]$/.test(nibble))) return undefined;
  const groups = nibbles.reverse().join('').match(/.{4}/g) ?? [];
  return groups.map((group) => group.replace(/^0{1,3}/, '')).join(':');
}
