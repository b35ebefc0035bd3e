import { isIP } from 'node:net';

/** Addresses and names as a certificate tells them apart. */
export interface ServerNames {
  readonly ipAddresses: readonly string[];
  readonly dnsNames: readonly string[];
}

export function serverNames(addresses: readonly string[]): ServerNames {
  return {
    ipAddresses: addresses.filter((address) => isIP(address) !== 0),
    dnsNames: addresses.filter((address) => isIP(address) === 0),
  };
}
