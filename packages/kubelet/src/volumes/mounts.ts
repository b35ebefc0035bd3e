// tmpfs mounts of the kubelet's own. What is mounted is read from the kernel each time: nothing to forget or to lose.
import { readFile } from 'node:fs/promises';
import type { RunCommand } from '../host/commands.ts';

/** Mount points at or below a path, deepest first. */
export async function mountsBelow(path: string): Promise<readonly string[]> {
  const table = await readFile('/proc/self/mountinfo', 'utf8');
  return table
    .split('\n')
    .map((line) => (line.split(' ')[4] ?? '').replaceAll('\\040', ' '))
    .filter((point) => point === path || point.startsWith(`${path}/`))
    .sort((left, right) => right.length - left.length);
}

/** Mounts a tmpfs unless one is there. Swap or not is the kernel's affair. */
export async function mountTmpfs(run: RunCommand, path: string, sizeBytes: number | undefined): Promise<void> {
  if ((await mountsBelow(path)).includes(path)) return;
  const options = sizeBytes === undefined ? [] : ['-o', `size=${sizeBytes}`];
  await run('mount', ['-t', 'tmpfs', ...options, 'tmpfs', path]);
}

export async function unmountBelow(run: RunCommand, path: string): Promise<void> {
  for (const point of await mountsBelow(path)) await run('umount', [point]);
}
