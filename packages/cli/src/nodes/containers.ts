import type Docker from 'dockerode';
import { hasStatus } from '../engine/docker.ts';
import { clusterLabel, networkName, nodeLabel } from './network.ts';

/** What a cluster owns on the engine is found by label alone, so nothing of anyone else is ever touched. */
async function containersOf(
  docker: Docker,
  cluster: string,
  node: string | undefined,
  running: boolean,
): Promise<readonly string[]> {
  const label = [`${clusterLabel}=${cluster}`, ...(node === undefined ? [] : [`${nodeLabel}=${node}`])];
  const found = await docker.listContainers({ all: !running, filters: { label } });
  return found.map((container) => container.Id);
}

/** Ends containers of a cluster, or of one of its nodes, as a power cut would. @returns how many */
export async function killContainers(docker: Docker, cluster: string, node?: string): Promise<number> {
  const ids = await containersOf(docker, cluster, node, true);
  await Promise.all(ids.map((id) => docker.getContainer(id).kill().catch(unlessGone)));
  return ids.length;
}

const STOP_SECONDS = 5;

/** Asks containers to end, and ends those that do not. @returns how many */
export async function stopContainers(docker: Docker, cluster: string): Promise<number> {
  const ids = await containersOf(docker, cluster, undefined, true);
  await Promise.all(ids.map((id) => docker.getContainer(id).stop({ t: STOP_SECONDS }).catch(unlessGone)));
  return ids.length;
}

/** Removes every container of one node of a cluster. */
export async function removeContainers(docker: Docker, cluster: string, node: string): Promise<void> {
  const ids = await containersOf(docker, cluster, node, false);
  await Promise.all(ids.map((id) => docker.getContainer(id).remove({ force: true, v: true }).catch(unlessGone)));
}

/** Removes every container and the network of a cluster. */
export async function removeContainersAndNetwork(docker: Docker, cluster: string): Promise<void> {
  const ids = await containersOf(docker, cluster, undefined, false);
  await Promise.all(ids.map((id) => docker.getContainer(id).remove({ force: true, v: true }).catch(unlessGone)));
  try {
    await docker.getNetwork(networkName(cluster)).remove();
  } catch (error) {
    if (!hasStatus(error, 404)) throw error;
  }
}

/** 404: somebody was faster. 304: it had stopped already. 409: it is being stopped or removed right now. */
function unlessGone(error: unknown): void {
  if (!hasStatus(error, 404) && !hasStatus(error, 304) && !hasStatus(error, 409)) throw error;
}
