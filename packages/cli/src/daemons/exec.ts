import type { Context } from '../context.ts';
import { Failure } from '../failure.ts';
import { daemonSettings, nodeFlags } from './node-flags.ts';
import { daemonKinds } from './spec.ts';
import { daemonProgram } from './start.ts';

/**
 * Becomes a daemon: same process id, terminal and environment, so that systemd, a container or a shell has the daemon
 * itself as its child. Nothing is recorded; the flags are all there is.
 * @throws Failure when there is no such kind of daemon; else it does not return
 */
export async function execDaemon(context: Context, kind: string, flags: readonly string[]): Promise<never> {
  const known = daemonKinds.find((one) => one === kind);
  if (known === undefined) throw new Failure(`There is no daemon "${kind}": it is one of ${daemonKinds.join(', ')}`);
  const program = await daemonProgram(context, known);
  if (process.execve === undefined) throw new Failure(`Cannot become ${kind}: Node.js on ${context.platform} cannot`);
  const command = [context.node, ...nodeFlags(known), program, ...flags];
  return process.execve(context.node, command, { ...daemonSettings, ...context.environment });
}
