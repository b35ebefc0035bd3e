import { networkInterfaces } from 'node:os';
import type { Context } from '../context.ts';
import { dockerHost } from '../engine/provider.ts';

/** What command lines say about this machine. */
export interface HostPlace {
  /** Where its Docker engine is. */
  readonly dockerHost: string;
  /** An address by which others reach it; undefined on a machine without a network. */
  readonly address: string | undefined;
}

export function hostPlace(context: Context): HostPlace {
  return { dockerHost: dockerHost(context), address: hostAddresses()[0] };
}

/** Addresses by which others reach this host. Docker's bridges and pods' links come and go, and are none of them. */
export function hostAddresses(): readonly string[] {
  return Object.entries(networkInterfaces())
    .filter(([name]) => !/^(br-|docker|veth)/.test(name))
    .flatMap(([, addresses]) => addresses ?? [])
    .filter(({ family, internal }) => family === 'IPv4' && !internal)
    .map(({ address }) => address);
}
