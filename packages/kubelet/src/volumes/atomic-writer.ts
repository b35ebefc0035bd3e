// Files that change all at once for whoever reads them: each version is a directory of its own, and one rename of the
// `..data` link switches over. User-visible names are links through `..data`.
import {
  chmod,
  chown,
  lstat,
  mkdir,
  readdir,
  readlink,
  rename,
  rm,
  symlink,
  unlink,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Payload } from '../plan/volume-payload.ts';

const dataLink = '..data';
const newDataLink = '..data_tmp';

export interface AtomicWriteOptions {
  /** Name of this version's directory; unique within the volume, and beginning with `..`. */
  readonly version: string;
  /** Group that gets the files. */
  readonly group: number | undefined;
}

async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw error;
  }
}

async function writeVersion(root: string, payload: Payload, group: number | undefined): Promise<void> {
  await mkdir(root, { mode: 0o755 });
  for (const [path, file] of payload) {
    const target = join(root, path);
    await mkdir(dirname(target), { recursive: true, mode: 0o755 });
    await writeFile(target, file.content);
    if (group !== undefined) await chown(target, 0, group);
    // After the chown, which clears set-id bits; and whatever the umask is.
    await chmod(target, file.mode);
  }
}

/** Brings the volume to exactly these files. Safe to repeat after a crash at any point. */
export async function writeAtomically(directory: string, payload: Payload, options: AtomicWriteOptions): Promise<void> {
  await mkdir(directory, { recursive: true });
  const previous = await currentVersion(directory);
  await rm(join(directory, options.version), { recursive: true, force: true });
  await writeVersion(join(directory, options.version), payload, options.group);
  await rm(join(directory, newDataLink), { force: true });
  await symlink(options.version, join(directory, newDataLink));
  await rename(join(directory, newDataLink), join(directory, dataLink));
  const names = new Set([...payload.keys()].map((path) => path.split('/')[0] ?? path));
  for (const name of names) {
    if (!(await exists(join(directory, name)))) await symlink(join(dataLink, name), join(directory, name));
  }
  for (const name of await readdir(directory)) {
    if (name === dataLink || name === options.version || names.has(name)) continue;
    if (name.startsWith('..')) await rm(join(directory, name), { recursive: true, force: true });
    else await unlink(join(directory, name));
  }
  if (previous !== undefined && previous !== options.version) {
    await rm(join(directory, previous), { recursive: true, force: true });
  }
}

/** Directory name of the version in force; undefined if nothing has been written yet. */
export async function currentVersion(directory: string): Promise<string | undefined> {
  try {
    return await readlink(join(directory, dataLink));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
