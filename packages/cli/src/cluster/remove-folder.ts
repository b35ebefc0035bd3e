import { existsSync } from 'node:fs';
import { readFile, realpath, rm } from 'node:fs/promises';
import type { Context } from '../context.ts';
import { runProgram } from '../daemons/run-program.ts';

/** Removes a cluster's folder with everything in it, also what kubelets have mounted there for their pods' volumes. */
export async function removeFolder(context: Context, folder: string): Promise<void> {
  if (!existsSync(folder)) return;
  // The kernel lists mounts by their real paths.
  await unmountBelow(context, await realpath(folder));
  await rm(folder, { recursive: true, force: true });
}

async function unmountBelow(context: Context, folder: string): Promise<void> {
  if (context.platform !== 'linux') return;
  const mounts = (await readFile('/proc/self/mounts', 'utf8'))
    .split('\n')
    .map((line) =>
      (line.split(' ')[1] ?? '').replace(/\\([0-7]{3})/g, (_, octal: string) =>
        String.fromCharCode(Number.parseInt(octal, 8)),
      ),
    )
    .filter((path) => path.startsWith(`${folder}/`));
  // Deepest first: a mount inside another keeps it busy.
  for (const path of mounts.sort((a, b) => b.length - a.length)) await runProgram('umount', ['-l', path], context);
}
