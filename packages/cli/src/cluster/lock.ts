import { mkdir, open, readFile, rm, rmdir } from 'node:fs/promises';
import { identify, type ProcessIdentity, stateOf } from '../daemons/process-identity.ts';
import { Failure, hasCode } from '../failure.ts';
import type { ClusterLayout } from './layout.ts';

/**
 * Runs `work` while no other command changes the same cluster. A lock whose process is gone is taken over.
 * @throws Failure when another command holds it
 */
export async function withLock<T>(layout: ClusterLayout, pid: number, work: () => Promise<T>): Promise<T> {
  await mkdir(layout.folder, { recursive: true, mode: 0o700 });
  await acquire(layout, pid);
  try {
    return await work();
  } finally {
    await rm(layout.lock, { force: true });
    await removeIfEmpty(layout.folder);
  }
}

/** A command that was refused leaves no folder of a cluster that never was. */
async function removeIfEmpty(folder: string): Promise<void> {
  try {
    await rmdir(folder);
  } catch (error) {
    if (!hasCode(error, 'ENOTEMPTY') && !hasCode(error, 'ENOENT')) throw error;
  }
}

async function acquire(layout: ClusterLayout, pid: number): Promise<void> {
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      const file = await open(layout.lock, 'wx', 0o600);
      await file.writeFile(JSON.stringify(identify(pid)));
      await file.close();
      return;
    } catch (error) {
      if (!hasCode(error, 'EEXIST')) throw error;
    }
    const holder = await readHolder(layout.lock);
    if (holder !== undefined && stateOf(holder) !== 'gone') {
      throw new Failure(
        `Another command (process ${holder.pid}) is changing cluster "${layout.name}": wait until it has finished`,
      );
    }
    await rm(layout.lock, { force: true });
  }
  throw new Failure(`Cannot lock cluster "${layout.name}": remove ${layout.lock} if no other wherry runs`);
}

/** @returns undefined when the file is gone already, or was left half written by a process that was killed */
async function readHolder(path: string): Promise<ProcessIdentity | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    if (hasCode(error, 'ENOENT') || error instanceof SyntaxError) return undefined;
    throw error;
  }
}
