import { type ClusterConfig, nodeNames, nodeNetwork } from '../cluster/config.ts';
import { hostPlace } from '../cluster/host-place.ts';
import { type ClusterLayout, clusterLayout } from '../cluster/layout.ts';
import { withLock } from '../cluster/lock.ts';
import { daemonSpecs } from '../cluster/specs.ts';
import { requireConfig } from '../cluster/stored-config.ts';
import { nodeAddress } from '../cluster/subnet.ts';
import type { Context } from '../context.ts';
import { observeDaemons } from '../daemons/records.ts';
import { restartDaemon } from '../daemons/restart.ts';
import { killDaemon } from '../daemons/stop.ts';
import { dockerAt } from '../engine/docker.ts';
import { dockerHost } from '../engine/provider.ts';
import { Failure } from '../failure.ts';
import { ensureAnchor } from './anchors.ts';
import { killContainers } from './containers.ts';

/** A power cut: first nobody can react any more, then everything that ran is gone. */
export async function killNode(context: Context, cluster: string, node: string): Promise<void> {
  const { config, layout } = find(context, cluster, node);
  const daemons = observeDaemons(layout).filter(({ record, state }) => record.spec.node === node && state !== 'gone');
  await Promise.all(daemons.map((daemon) => killDaemon(context, daemon)));
  const containers =
    config.runtime === 'docker' ? await killContainers(dockerAt(dockerHost(context)), cluster, node) : 0;
  context.terminal.out(`node ${node} killed (${daemons.length} daemons, ${containers} containers)`);
}

export async function startNode(context: Context, cluster: string, node: string): Promise<void> {
  const { config, layout } = find(context, cluster, node);
  const host = dockerHost(context);
  await withLock(layout, context.pid, async () => {
    const network = nodeNetwork(config);
    if (network !== undefined) {
      await ensureAnchor(dockerAt(host), layout, node, nodeAddress(network, nodeNames(config).indexOf(node)));
    }
    const specs = daemonSpecs(config, layout, hostPlace(context)).filter((spec) => spec.node === node);
    await Promise.all(specs.map((spec) => restartDaemon(context, layout, spec)));
  });
  context.terminal.out(`node ${node} started`);
}

function find(
  context: Context,
  cluster: string,
  node: string,
): { readonly config: ClusterConfig; readonly layout: ClusterLayout } {
  const layout = clusterLayout(context.home, cluster);
  const config = requireConfig(layout);
  const names = nodeNames(config);
  if (!names.includes(node)) {
    throw new Failure(
      `Cluster "${cluster}" has no node "${node}"${names.length === 0 ? '' : `: it has ${names.join(', ')}`}`,
    );
  }
  return { config, layout };
}
