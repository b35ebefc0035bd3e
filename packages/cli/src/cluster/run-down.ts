import { existsSync } from 'node:fs';
import type { Context } from '../context.ts';
import { Failure } from '../failure.ts';
import { readJoined } from '../joining/joined-node.ts';
import { Progress } from '../terminal/progress.ts';
import { down } from './down.ts';
import { clusterLayout } from './layout.ts';
import { withLock } from './lock.ts';

/** `wherry down`: the work, and what is said about it. */
export async function runDown(context: Context, name: string, remove: boolean): Promise<void> {
  const { terminal, clock } = context;
  const layout = clusterLayout(context.home, name);
  if (readJoined(layout) !== undefined)
    throw new Failure(
      `"${name}" is a node that joined a cluster elsewhere: "wherry reset --name ${name}" takes that back`,
    );
  // A removal also looks for what is left on the engine of a cluster whose folder somebody deleted.
  if (!existsSync(layout.folder) && !remove) {
    terminal.err(`There is no cluster "${name}" in ${context.home}`);
    return;
  }
  const { killed } = await withLock(layout, context.pid, () =>
    down(context, layout, remove, new Progress(terminal, clock)),
  );
  if (killed.length > 0) terminal.err(`  ! did not end when asked to, and were killed: ${killed.join(', ')}`);
  terminal.err(remove ? `Cluster "${name}" is removed` : `Cluster "${name}" is down; "wherry up" resumes it`);
}
