import { isConflict, isNotFound, type Node, resources } from '@wherry/api';
import type { PlanRecord } from '@wherry/client';
import { actOnEach } from '../../spine/batches.ts';
import { type ControllerContext, referenceTo } from '../../spine/context.ts';
import { anyCache, Keyed } from '../../spine/keyed.ts';
import { parseClusterRanges, planAllocations } from './plan.ts';

/** All nodes are planned together, so that no two are given the same range. */
const ALL_NODES = 'nodes';
/** When to look again for a free range. */
const RETRY_MS = 30_000;

export function startNodeIpam(context: ControllerContext): void {
  const { client, caches, options } = context;
  if (!options.allocateNodeCidrs || options.clusterCidr === undefined) return;
  const ranges = parseClusterRanges(options.clusterCidr, options.nodeCidrMaskSize);
  const reserved = options.serviceCidr === undefined ? [] : options.serviceCidr.split(',');
  const nodes = caches.of(resources.nodes);
  const keyed = new Keyed(context, 'node-ipam-controller');
  const recorder = context.recorder('cidrAllocator');
  keyed.follow(nodes, ({ object, kind }) => (kind !== 'deleted' && !hasRange(object) ? [ALL_NODES] : []));
  keyed.run(1, [anyCache(nodes)], async (key, signal) => {
    const done: PlanRecord['actions'][number][] = [];
    let short = false;
    await actOnEach(planAllocations(nodes.list(), ranges, reserved), async ({ node, podCIDRs }) => {
      const { name = '', resourceVersion } = node.metadata ?? {};
      if (podCIDRs === undefined) {
        short = true;
        const reason = 'CIDRNotAvailable';
        recorder.event(referenceTo('v1', 'Node', node), 'Normal', reason, `Node ${name} status is now: ${reason}`);
        return;
      }
      try {
        // The version makes the write miss if anybody else has given the node a range.
        const patch = { metadata: { resourceVersion }, spec: { podCIDR: podCIDRs[0], podCIDRs } };
        const written = await client.patch(resources.nodes, name, patch, { signal });
        keyed.own.wrote(key, nodes, written.metadata?.resourceVersion);
        done.push({ verb: 'allocate', key: `nodes/${name}`, resourceVersion: written.metadata?.resourceVersion });
      } catch (error) {
        if (isNotFound(error)) return;
        if (!isConflict(error)) throw error;
        // Its change is on the way to our cache and brings us back.
        keyed.queue.addRateLimited(key);
      }
    });
    keyed.acted(key, nodes.list(), 'nodes lack a pod CIDR', done);
    return short ? { requeueAfterMs: RETRY_MS } : undefined;
  });
}

function hasRange(node: Node): boolean {
  return (node.spec?.podCIDR ?? '') !== '';
}
