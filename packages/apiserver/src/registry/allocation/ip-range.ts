import { isIP } from 'node:net';

/** An IPv4 range in CIDR notation, as numbers. */
export interface IpRange {
  readonly cidr: string;
  /** The network's address. */
  readonly base: number;
  /** All addresses, the unusable first and last included. */
  readonly size: number;
}

/** Dynamic addresses come from above this band while there are any, so that chosen ones find room (KEP-3070). */
const STATIC_BAND_MIN = 16;
const STATIC_BAND_MAX = 256;

/** @throws Error for anything but an IPv4 CIDR with at least eight addresses */
export function parseIpRange(cidr: string): IpRange {
  const [address = '', bits = ''] = cidr.split('/');
  const prefix = Number(bits);
  if (isIP(address) !== 4 || !Number.isInteger(prefix) || prefix < 8 || prefix > 29 || bits === '') {
    throw new Error(`Cannot use ${JSON.stringify(cidr)} as service range: an IPv4 CIDR from /8 to /29 is needed`);
  }
  const size = 2 ** (32 - prefix);
  const number = toNumber(address);
  return { cidr, base: number - (number % size), size };
}

export function toNumber(address: string): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

export function toAddress(number: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.');
}

export function addressAt(range: IpRange, offset: number): string {
  return toAddress(range.base + offset);
}

/** Whether an address can be given to a Service. */
export function isUsable(range: IpRange, address: string): boolean {
  if (isIP(address) !== 4) {
    return false;
  }
  const offset = toNumber(address) - range.base;
  return offset >= 1 && offset <= range.size - 2;
}

export function staticBand(range: IpRange): number {
  return Math.min(Math.max(STATIC_BAND_MIN, Math.floor(range.size / 16)), STATIC_BAND_MAX, range.size - 2);
}

/** Free offset: at random above the static band, then below it; undefined when all are taken. */
export function freeOffset(
  range: IpRange,
  isTaken: (address: string) => boolean,
  randomInteger: (maxExclusive: number) => number,
): number | undefined {
  const band = staticBand(range);
  const upper = { from: band + 1, count: range.size - 2 - band };
  for (const part of [upper, { from: 1, count: band }]) {
    const start = part.count > 0 ? randomInteger(part.count) : 0;
    for (let step = 0; step < part.count; step += 1) {
      const offset = part.from + ((start + step) % part.count);
      if (!isTaken(addressAt(range, offset))) {
        return offset;
      }
    }
  }
  return undefined;
}
