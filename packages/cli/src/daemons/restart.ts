import type { ClusterLayout } from '../cluster/layout.ts';
import type { Context } from '../context.ts';
import { Failure } from '../failure.ts';
import { observeDaemons } from './records.ts';
import type { DaemonSpec } from './spec.ts';
import { daemonProgram, desiredDaemon, startDaemon } from './start.ts';

/**
 * Starts a daemon that is gone. @returns false when it runs already
 * @throws Failure when it belongs into a node whose anchor does not run, or whose engine does not answer
 */
export async function restartDaemon(context: Context, layout: ClusterLayout, spec: DaemonSpec): Promise<boolean> {
  const found = observeDaemons(layout).find(({ record }) => record.spec.name === spec.name);
  if (found !== undefined && found.state !== 'gone') return false;
  const namespace = spec.namespace === undefined ? undefined : await namespaceOf(context, layout, spec.namespace);
  const program = await daemonProgram(context, spec.kind);
  await startDaemon(context, layout, await desiredDaemon(context, spec, program, namespace));
  return true;
}

async function namespaceOf(context: Context, layout: ClusterLayout, node: string): Promise<number> {
  const { anchorPid } = await import('../nodes/anchors.ts');
  const { dockerAt, engineVersion } = await import('../engine/docker.ts');
  const { dockerHost } = await import('../engine/provider.ts');
  const host = dockerHost(context);
  // One that hangs must not keep this command, and with it the cluster's lock, from everybody else.
  if ((await engineVersion(host)) === undefined)
    throw new Failure(`Cannot enter node ${node}: no Docker engine answers at ${host}. Try again when it is back`);
  const pid = await anchorPid(dockerAt(host), layout.name, node);
  if (pid === undefined) throw new Failure(`Node ${node} is not running: start it with "wherry node start ${node}"`);
  return pid;
}
