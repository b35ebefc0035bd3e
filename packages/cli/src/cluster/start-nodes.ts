import { architectureOf, ensureImages, sandboxImage } from '@wherry/images';
import type Docker from 'dockerode';
import { ensureAnchor } from '../nodes/anchors.ts';
import { removeContainersAndNetwork } from '../nodes/containers.ts';
import { ensureNetwork } from '../nodes/network.ts';
import { type ClusterConfig, nodeNames } from './config.ts';
import type { ClusterLayout } from './layout.ts';
import { nodeAddress, type Subnet } from './subnet.ts';
import { together } from './together.ts';
import type { Undo } from './undo.ts';

/** Process id of each virtual node's anchor, by the node's name. */
export type AnchorPids = ReadonlyMap<string, number>;

/** Makes the cluster's network and the anchors of its nodes, as far as they are missing. */
export async function startNodes(
  docker: Docker,
  config: ClusterConfig,
  subnet: Subnet,
  layout: ClusterLayout,
  undo: Undo,
): Promise<AnchorPids> {
  const prepareNetwork = async (): Promise<void> => {
    const made = await ensureNetwork(docker, layout, subnet);
    if (made) undo.add('containers and network', () => removeContainersAndNetwork(docker, layout.name));
  };
  const prepareImage = async (): Promise<void> => {
    await ensureImages(docker, [sandboxImage(architectureOf((await docker.version()).Arch))]);
  };
  await together([prepareNetwork(), prepareImage()]);
  const anchors = await together(
    nodeNames(config).map((node, index) => ensureAnchor(docker, layout, node, nodeAddress(subnet, index))),
  );
  return new Map(anchors.map((anchor) => [anchor.node, anchor.pid]));
}
