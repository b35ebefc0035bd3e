import { join } from 'node:path';
import { type ClusterConfig, nodeNetwork } from './config.ts';
import type { ClusterLayout } from './layout.ts';
import { serverAddress } from './subnet.ts';

/** Where daemons on this host reach each other. */
export const LOOPBACK = '127.0.0.1';

/** Where nodes reach the API: through their own network's gateway, which is this host. */
export function nodeServer(config: ClusterConfig): string {
  return `https://${nodeNetwork(config)?.gateway ?? LOOPBACK}:${config.ports.apiserver}`;
}

export function localServer(config: ClusterConfig): string {
  return `https://${LOOPBACK}:${config.ports.apiserver}`;
}

/** An address for each API server when there are several; none when the only one has all of this host's. */
export function serverAddresses({ apiservers, subnet }: ClusterConfig): readonly string[] {
  if (apiservers === 1 || subnet === undefined) return [];
  return Array.from({ length: apiservers }, (_, index) => serverAddress(subnet, index));
}

export function kubeconfigFile(layout: ClusterLayout, identity: string): string {
  return join(layout.kubeconfigs, `${identity}.conf`);
}
