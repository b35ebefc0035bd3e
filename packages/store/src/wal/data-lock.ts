import { link, mkdir, readFile, rename, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const ATTEMPTS_MAX = 5;

/**
 * Keeps two processes from one data directory. Node has no flock, so the lock is a file that names its holder by pid
 * and start time; one whose holder is dead is taken over.
 * @returns releases the lock
 * @throws Error naming the holder
 */
export async function lockDirectory(path: string, pid: number): Promise<() => Promise<void>> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  const lock = join(path, 'LOCK');
  const own = `${pid} ${(await startTimeOf(pid)) ?? ''}`;
  const mine = join(path, `LOCK.${pid}`);
  await writeFile(mine, own);
  try {
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      // A link appears whole or not at all, unlike a file that is made and then written.
      const taken = await link(mine, lock).then(
        () => true,
        (error: NodeJS.ErrnoException) => {
          if (error.code === 'EEXIST') return false;
          throw error;
        },
      );
      if (taken) return async () => unlink(lock);
      const holder = await readIfThere(lock);
      if (holder === undefined) continue;
      const [holderPid = '', startTime = ''] = holder.split(' ');
      if (holder !== own && (await startTimeOf(Number(holderPid))) === startTime) {
        throw new Error(`Cannot use ${path}: process ${holderPid} is using it`);
      }
      await takeAway(lock, holder, `${mine}.stale`);
    }
    throw new Error(`Cannot lock ${path}: others are trying too`);
  } finally {
    await unlink(mine);
  }
}

/** Removes a dead holder's lock, unless somebody else has taken it over meanwhile: then it is put back. */
async function takeAway(lock: string, expected: string, aside: string): Promise<void> {
  await rename(lock, aside);
  if ((await readIfThere(aside)) !== expected) await link(aside, lock);
  await unlink(aside);
}

/** When a process started, in the kernel's ticks; undefined if there is no such process, or nothing but its exit code. */
async function startTimeOf(pid: number): Promise<string | undefined> {
  const stat = await readIfThere(`/proc/${pid}/stat`);
  if (stat !== undefined) {
    // The name in parentheses may hold anything, spaces too; the start time is the 20th field behind it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // A zombie has let go of everything; process 1 of a container may take seconds to notice, or never does.
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
  }
  return isAlive(pid) ? '' : undefined;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ESRCH') return undefined;
    throw error;
  }
}
