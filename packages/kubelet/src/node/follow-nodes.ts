// Keeps routes and rules equal to what the nodes say; one change of the network at a time, the latest state only.
import type { Node } from '@wherry/api';
import type { Informer } from '@wherry/client';
import { type Clock, type Logger, pause, type Scope } from '@wherry/daemon';
import type { PodNetwork } from '../network/pod-network.ts';
import { isNowhere } from '../plan/network-rules.ts';

export interface FollowNodesOptions {
  readonly nodeName: string;
  readonly network: PodNetwork;
  readonly nodes: Informer<Node>;
  /** The pod CIDR of this node; undefined until it has one. */
  readonly podCidr: () => string | undefined;
  /** Pods can be given addresses from now on. */
  readonly onReady: () => void;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly scope: Scope;
}

const retryMs = 1_000;

async function apply({ network, nodes, podCidr, onReady }: FollowNodesOptions): Promise<void> {
  const cidr = podCidr();
  const wasReady = network.problem === undefined;
  if (cidr !== undefined && cidr !== '') await network.setPodCidr(cidr);
  await network.setNodes(nodes.list().filter((node) => !isNowhere(node)));
  if (!wasReady && network.problem === undefined) onReady();
}

export function followNodes(options: FollowNodesOptions): void {
  const { nodeName, nodes, clock, logger, scope } = options;
  let dirty = false;
  let working = false;
  const onChange = () => {
    dirty = true;
    // Before the first list all other nodes would seem to be gone, and with them the routes that a former kubelet made.
    if (working || !nodes.hasSynced) return;
    working = true;
    scope.run('node network', async (signal) => {
      while (dirty) {
        dirty = false;
        try {
          await apply(options);
        } catch (error) {
          logger.error({ err: error }, 'cannot bring routes and rules up to date, trying again');
          dirty = await pause(clock, retryMs, signal);
        }
      }
      working = false;
    });
  };
  // Thousands of hollow nodes may come and go; each look at the routes starts a program.
  nodes.onChange(({ key, object }) => {
    if (key === nodeName || !isNowhere(object)) onChange();
  });
  scope.run('first list of nodes', async (signal) => {
    await nodes.synced(signal);
    onChange();
  });
}
