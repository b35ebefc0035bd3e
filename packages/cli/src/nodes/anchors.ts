import { readFileSync } from 'node:fs';
import { sandboxImageReference } from '@wherry/images';
import type Docker from 'dockerode';
import type { ClusterLayout } from '../cluster/layout.ts';
import { hasStatus } from '../engine/docker.ts';
import { Failure, hasCode } from '../failure.ts';
import { anchorName } from './anchor-name.ts';
import { clusterLabel, homeLabel, networkName, nodeLabel, roleLabel } from './network.ts';

/**
 * A virtual node's anchor: a container that does nothing but hold a network namespace with the node's address. The
 * node's kubelet and proxy enter it; its pods are wired to it.
 */
export interface Anchor {
  readonly node: string;
  /** Process in whose network namespace the node lives. */
  readonly pid: number;
  /** Whether this call started it, and so its namespace is new. */
  readonly started: boolean;
}

/** Makes or starts the anchor as needed; one that runs is left alone. */
export async function ensureAnchor(
  docker: Docker,
  layout: ClusterLayout,
  node: string,
  address: string,
): Promise<Anchor> {
  const container = docker.getContainer(anchorName(layout.name, node));
  const found = await inspect(container);
  if (found?.State.Running === true) return { node, pid: checkedPid(found), started: false };
  if (found === undefined) await create(docker, layout, node, address);
  await container.start();
  return { node, pid: checkedPid(await container.inspect()), started: true };
}

/** Process id of the node's anchor, or undefined when it does not run. */
export async function anchorPid(docker: Docker, cluster: string, node: string): Promise<number | undefined> {
  const found = await inspect(docker.getContainer(anchorName(cluster, node)));
  return found?.State.Running === true ? checkedPid(found) : undefined;
}

async function inspect(container: Docker.Container): Promise<Docker.ContainerInspectInfo | undefined> {
  try {
    return await container.inspect();
  } catch (error) {
    if (hasStatus(error, 404)) return undefined;
    throw error;
  }
}

async function create(docker: Docker, layout: ClusterLayout, node: string, address: string): Promise<void> {
  await docker.createContainer({
    name: anchorName(layout.name, node),
    Image: sandboxImageReference,
    Hostname: node,
    Labels: { [clusterLabel]: layout.name, [nodeLabel]: node, [roleLabel]: 'anchor', [homeLabel]: layout.folder },
    HostConfig: {
      NetworkMode: networkName(layout.name),
      CapDrop: ['ALL'],
      ReadonlyRootfs: true,
      // The node forwards for its pods, whose answers may take another way than the questions came.
      Sysctls: {
        'net.ipv4.ip_forward': '1',
        'net.ipv4.conf.all.rp_filter': '0',
        'net.ipv4.conf.default.rp_filter': '0',
        // A pod that reaches itself by its service goes out where it came in: to tell it of a shorter way is wrong, and
        // uses up what the kernel allows of ICMP, so that refusals to that pod are late.
        'net.ipv4.conf.all.send_redirects': '0',
        'net.ipv4.conf.default.send_redirects': '0',
      },
      RestartPolicy: { Name: 'no' },
    },
    NetworkingConfig: { EndpointsConfig: { [networkName(layout.name)]: { IPAMConfig: { IPv4Address: address } } } },
  });
}

/** @throws Failure when the engine counts processes differently from this host, as one inside a container does */
function checkedPid(found: Docker.ContainerInspectInfo): number {
  const pid = found.State.Pid;
  try {
    // Control groups are named after the container as soon as its process exists.
    if (readFileSync(`/proc/${pid}/cgroup`, 'utf8').includes(found.Id)) return pid;
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
  }
  throw new Failure(
    `The Docker engine does not share this host's processes: nodes cannot be entered (container ${found.Name})`,
  );
}
