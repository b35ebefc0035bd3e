import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import {
  type CertificateWish,
  clientIdentities,
  controlPlaneWishes,
  ensureTree,
  type Made,
  nodeClientName,
  nodeWishes,
  readPair,
  renderKubeconfig,
  writeWhole,
} from '@wherry/pki';
import { Failure, hasCode } from '../failure.ts';
import { type ClusterConfig, clusterDomain, nodeNames, nodeNetwork, serviceIp } from './config.ts';
import { hollowKubeconfigs, hollowWishes } from './hollow-nodes.ts';
import { hostAddresses } from './host-place.ts';
import type { ClusterLayout } from './layout.ts';
import { kubeconfigFile, localServer, nodeServer, serverAddresses } from './places.ts';
import { nodeAddress } from './subnet.ts';

/** Makes the certificates and kubeconfigs that the cluster lacks. @returns the certificates that were made, and why */
export async function ensureIdentities(
  config: ClusterConfig,
  layout: ClusterLayout,
  nowMs: number,
): Promise<readonly Made[]> {
  const made = await ensureTree(layout.pki, certificateWishes(config), nowMs);
  await writeKubeconfigs(config, layout);
  return made;
}

export function certificateWishes(config: ClusterConfig): readonly CertificateWish[] {
  const network = nodeNetwork(config);
  return [
    ...controlPlaneWishes({
      ipAddresses: [
        ...(network === undefined ? [] : [network.gateway]),
        ...serverAddresses(config),
        ...hostAddresses(),
      ],
      dnsNames: [hostname().toLowerCase()],
      serviceIp,
      clusterDomain,
    }),
    ...nodeNames(config).flatMap((name, index) =>
      nodeWishes({ name, ipAddresses: [network === undefined ? '127.0.0.1' : nodeAddress(network, index)] }),
    ),
    ...hollowWishes(config),
  ];
}

async function writeKubeconfigs(config: ClusterConfig, layout: ClusterLayout): Promise<void> {
  const local = localServer(config);
  const remote = config.runtime === 'docker' ? nodeServer(config) : local;
  const files = [
    { path: layout.kubeconfig, user: 'kubernetes-admin', identity: clientIdentities.admin.name, server: local },
    ...(['scheduler', 'controller-manager', 'dns'] as const).map((name) => ({
      path: kubeconfigFile(layout, name),
      user: clientIdentities[name].commonName,
      identity: clientIdentities[name].name,
      server: local,
    })),
    {
      path: kubeconfigFile(layout, 'proxy'),
      user: clientIdentities.proxy.commonName,
      identity: clientIdentities.proxy.name,
      server: remote,
    },
    ...nodeNames(config).map((node) => ({
      path: kubeconfigFile(layout, node),
      user: `system:node:${node}`,
      identity: nodeClientName(node),
      server: remote,
    })),
    ...hollowKubeconfigs(config, layout),
  ];
  const authority = await readFile(join(layout.pki, 'ca.crt'), 'utf8');
  await Promise.all(
    files.map(async ({ path, user, identity, server }) => {
      const pair = await readPair(layout.pki, identity);
      if (pair === undefined) throw new Failure(`Cannot write ${path}: certificate ${identity} is missing`);
      const text = renderKubeconfig({ cluster: `wherry-${config.name}`, user, server, authority, identity: pair });
      if ((await readIfThere(path)) !== text) await writeWhole(path, text, 0o600);
    }),
  );
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}
