// Addresses of a node's pod CIDR. Which are taken is read back from the running sandboxes, so nothing is stored but
// the last one given out: an address is used again as late as possible, so that nobody talks to its former owner.

export interface PodRange {
  /** First address of pods' gateway, `10.244.1.1`. */
  readonly gateway: string;
  readonly cidr: string;
  /** First and last address for pods, as numbers. */
  readonly first: number;
  readonly last: number;
}

export function ipv4ToNumber(text: string): number | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  let value = 0;
  for (const part of parts) {
    const octet = Number(part);
    if (!/^\d{1,3}$/.test(part) || octet > 255) return undefined;
    value = value * 256 + octet;
  }
  return value;
}

export function numberToIpv4(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');
}

/** The range of a CIDR; undefined if it is no IPv4 network with room for a gateway and a pod. */
export function podRange(cidr: string): PodRange | undefined {
  const [address = '', lengthText = ''] = cidr.split('/');
  const base = ipv4ToNumber(address);
  const length = Number(lengthText);
  if (base === undefined || !/^\d+$/.test(lengthText) || length > 30) return undefined;
  const size = 2 ** (32 - length);
  const network = base - (base % size);
  return {
    cidr: `${numberToIpv4(network)}/${length}`,
    gateway: numberToIpv4(network + 1),
    first: network + 2,
    last: network + size - 2,
  };
}

/** The next free address after `lastGiven`, going round; undefined when all are taken. */
export function nextAddress(
  range: PodRange,
  taken: ReadonlySet<string>,
  lastGiven: string | undefined,
): string | undefined {
  const size = range.last - range.first + 1;
  const last = lastGiven === undefined ? undefined : ipv4ToNumber(lastGiven);
  const start = last === undefined || last < range.first || last > range.last ? 0 : last - range.first + 1;
  for (let step = 0; step < size; step++) {
    const address = numberToIpv4(range.first + ((start + step) % size));
    if (!taken.has(address)) return address;
  }
  return undefined;
}
