// Hollow nodes live in one process and yet have addresses of their own, of the loopback network: so whoever dials one
// says which node is meant.
import { ipv4ToNumber, numberToIpv4 } from './ipam.ts';

/**
 * Address of the node at an index from 0; the network's own is no node's.
 * @param network CIDR, `127.128.0.0/16`
 * @throws RangeError when the network is no IPv4 CIDR, or too small
 */
export function hollowAddress(network: string, index: number): string {
  const [address = '', lengthText = ''] = network.split('/');
  const base = ipv4ToNumber(address);
  const length = Number(lengthText);
  if (base === undefined || !/^\d{1,2}$/.test(lengthText) || length > 32) {
    throw new RangeError(`Cannot read network "${network}": write an IPv4 CIDR`);
  }
  const size = 2 ** (32 - length);
  if (index + 1 >= size) throw new RangeError(`Cannot give node ${index + 1} an address: network ${network} is full`);
  return numberToIpv4(base - (base % size) + index + 1);
}
