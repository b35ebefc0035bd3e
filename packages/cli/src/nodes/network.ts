import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import type Docker from 'dockerode';
import type { ClusterLayout } from '../cluster/layout.ts';
import type { Subnet } from '../cluster/subnet.ts';
import { hasStatus } from '../engine/docker.ts';
import { Failure } from '../failure.ts';

export const clusterLabel = 'io.wherry.cluster';
export const nodeLabel = 'io.wherry.node';
export const roleLabel = 'io.wherry.role';
/** Whose cluster it is: two users of one engine may both have a cluster "default". */
export const homeLabel = 'io.wherry.home';

export const networkName = (cluster: string): string => `wherry-${cluster}`;

/**
 * Every IPv4 network that this machine has or knows the way to.
 * @param docker also those that an engine keeps for later, where there is one
 */
export async function networksInUse(docker: Docker | undefined): Promise<readonly string[]> {
  const own = Object.values(networkInterfaces()).flatMap((addresses) =>
    (addresses ?? []).map((address) => address.cidr ?? ''),
  );
  const networks = (await docker?.listNetworks()) ?? [];
  const engine = networks.flatMap((network) => (network.IPAM?.Config ?? []).map((config) => config.Subnet ?? ''));
  const table = process.platform === 'linux' ? readFileSync('/proc/net/route', 'utf8') : '';
  return [...own, ...engine, ...routes(table)];
}

/** @param table text of /proc/net/route: hexadecimal, in the byte order of the machine (little-endian where Node runs) */
export function routes(table: string): readonly string[] {
  return table
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => {
      const [, destination = '', , , , , , mask = ''] = line.split(/\s+/);
      const bytes = Buffer.from(destination, 'hex').reverse();
      const bits = [...Buffer.from(mask, 'hex')].reduce(
        (sum, byte) => sum + byte.toString(2).replaceAll('0', '').length,
        0,
      );
      return `${[...bytes].join('.')}/${bits}`;
    });
}

/**
 * Makes the cluster's network if it is missing.
 * @returns whether it was made
 * @throws Failure when a network of that name is not this cluster's
 */
export async function ensureNetwork(docker: Docker, layout: ClusterLayout, subnet: Subnet): Promise<boolean> {
  const name = networkName(layout.name);
  try {
    const found = await docker.getNetwork(name).inspect();
    const labels: Readonly<Record<string, string>> = found.Labels ?? {};
    const owner = labels[homeLabel];
    if (owner !== layout.folder) {
      throw new Failure(
        `Docker network "${name}" belongs to ${owner === undefined ? 'something else' : `the cluster in ${owner}`}: choose another --name`,
      );
    }
    return false;
  } catch (error) {
    if (!hasStatus(error, 404)) throw error;
  }
  await docker.createNetwork({
    Name: name,
    Driver: 'bridge',
    IPAM: { Driver: 'default', Config: [{ Subnet: subnet.cidr, Gateway: subnet.gateway }] },
    Labels: { [clusterLabel]: layout.name, [homeLabel]: layout.folder },
    CheckDuplicate: true,
  });
  return true;
}

/** Whether the cluster's network exists and is this cluster's, and not that of a namesake in another folder. */
export async function ownsNetwork(docker: Docker, layout: ClusterLayout): Promise<boolean> {
  try {
    const found = await docker.getNetwork(networkName(layout.name)).inspect();
    const labels: Readonly<Record<string, string>> = found.Labels ?? {};
    return labels[homeLabel] === layout.folder;
  } catch (error) {
    if (hasStatus(error, 404)) return false;
    throw error;
  }
}
