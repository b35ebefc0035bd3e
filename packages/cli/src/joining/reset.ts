import { existsSync } from 'node:fs';
import { clusterLayout } from '../cluster/layout.ts';
import { withLock } from '../cluster/lock.ts';
import { removeFolder } from '../cluster/remove-folder.ts';
import { readConfig } from '../cluster/stored-config.ts';
import type { Context } from '../context.ts';
import { observeDaemons } from '../daemons/records.ts';
import { daemonProgram } from '../daemons/start.ts';
import { endOrphans, stopDaemons } from '../daemons/stop.ts';
import { dockerAt } from '../engine/docker.ts';
import { Failure } from '../failure.ts';
import { removeContainers } from '../nodes/containers.ts';
import { Progress } from '../terminal/progress.ts';
import { removeNetworkTraces } from './host.ts';
import { type JoinedNode, readJoined } from './joined-node.ts';

/** `wherry reset`: this host is no node any more. The cluster's Node object is for an administrator to delete. */
export async function reset(context: Context, name: string, force: boolean): Promise<void> {
  const { terminal, clock } = context;
  const layout = clusterLayout(context.home, name);
  if (readConfig(layout) !== undefined)
    throw new Failure(`${layout.folder} holds a cluster of this machine: "wherry down --delete" removes it`);
  if (!existsSync(layout.folder)) {
    terminal.err(`This host has not joined a cluster as "${name}"`);
    return;
  }
  const node = readJoined(layout);
  if (!force)
    throw new Failure(`This ends the pods of node "${node?.name ?? name}" and removes its files: add --force`);
  const progress = new Progress(terminal, clock);
  await withLock(layout, context.pid, async () => {
    await progress.step(
      'stopping daemons',
      async () => {
        await stopDaemons(context, layout, observeDaemons(layout));
        await endOrphans(context, layout);
      },
      () => 'daemons stopped',
    );
    if (node?.runtime === 'docker') await removePods(context, node, layout.name, progress);
    await removeFolder(context, layout.folder);
  });
  terminal.err(
    node === undefined
      ? `${layout.folder} is removed`
      : `Node "${node.name}" is reset. "kubectl delete node ${node.name}" makes the cluster forget it`,
  );
}

function removePods(context: Context, node: JoinedNode, cluster: string, progress: Progress): Promise<void> {
  return progress.step(
    'removing containers, rules and routes',
    async () => {
      await removeContainers(dockerAt(node.engine), cluster, node.name);
      await removeNetworkTraces(context, await daemonProgram(context, 'proxy'));
    },
    () => 'containers, rules and routes removed',
  );
}
