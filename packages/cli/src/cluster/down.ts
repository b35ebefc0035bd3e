import { existsSync } from 'node:fs';
import type { Context } from '../context.ts';
import { observeDaemons } from '../daemons/records.ts';
import { endOrphans, stopDaemons } from '../daemons/stop.ts';
import { dockerAt, engineVersion } from '../engine/docker.ts';
import { dockerHost } from '../engine/provider.ts';
import { Failure } from '../failure.ts';
import { removeContainersAndNetwork, stopContainers } from '../nodes/containers.ts';
import { ownsNetwork } from '../nodes/network.ts';
import type { Progress } from '../terminal/progress.ts';
import type { ClusterConfig } from './config.ts';
import type { ClusterLayout } from './layout.ts';
import { removeFolder } from './remove-folder.ts';
import { removeServerAddresses } from './server-addresses.ts';
import { readConfig } from './stored-config.ts';

export interface DownResult {
  readonly existed: boolean;
  /** Daemons that did not end when asked to. */
  readonly killed: readonly string[];
}

/**
 * Ends all processes and containers of a cluster. Its data stays, unless `remove`: then nothing of it is left.
 * @throws Failure when the engine that has its containers does not answer
 */
export async function down(
  context: Context,
  layout: ClusterLayout,
  remove: boolean,
  progress: Progress,
): Promise<DownResult> {
  const existed = existsSync(layout.folder);
  const daemons = observeDaemons(layout);
  const killed = await progress.step(
    'stopping daemons',
    async () => {
      const names = await stopDaemons(context, layout, daemons);
      await endOrphans(context, layout);
      return names;
    },
    () => (daemons.length === 0 ? undefined : `${daemons.length} daemons stopped`),
  );
  const config = safeConfig(layout);
  if (config !== undefined) await removeServerAddresses(context, config);
  await endContainers(context, layout, config, remove, progress);
  if (remove) {
    await removeFolder(context, layout.folder);
  }
  return { existed, killed };
}

async function endContainers(
  context: Context,
  layout: ClusterLayout,
  config: ClusterConfig | undefined,
  remove: boolean,
  progress: Progress,
): Promise<void> {
  const host = dockerHost(context);
  const answers = (await engineVersion(host)) !== undefined;
  const needsEngine = config !== undefined && config.nodes > 0 && config.runtime === 'docker';
  if (!answers) {
    // Without an engine no container runs; but what it keeps of the cluster could not be removed.
    if (needsEngine && remove)
      throw new Failure(
        `Cannot remove the containers of cluster "${layout.name}": no Docker engine answers at ${host}`,
      );
    return;
  }
  const docker = dockerAt(host);
  if (!(await ownsNetwork(docker, layout))) return;
  await progress.step(
    'stopping containers',
    async () => {
      if (remove) await removeContainersAndNetwork(docker, layout.name);
      else await stopContainers(docker, layout.name);
    },
    () => (remove ? 'containers and network removed' : 'containers stopped'),
  );
}

/** A damaged record must not keep anyone from removing a cluster. */
function safeConfig(layout: ClusterLayout): ClusterConfig | undefined {
  try {
    return readConfig(layout);
  } catch (error) {
    if (error instanceof Failure) return undefined;
    throw error;
  }
}
