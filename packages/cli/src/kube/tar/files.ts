import { createReadStream, createWriteStream } from 'node:fs';
import { chmod, lstat, mkdir, readdir, readlink, realpath } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { END, headerOf, paddingOf } from './format.ts';
import type { ReadEntry } from './read.ts';

/** An archive of a file or folder, made as it is read; in it, the file or folder is called `name`. */
export async function* packFiles(path: string, name: string): AsyncGenerator<Buffer> {
  yield* packOne(path, name);
  yield END;
}

async function* packOne(path: string, name: string): AsyncGenerator<Buffer> {
  const found = await lstat(path);
  const entry = { path: name, mode: found.mode, modifiedMs: found.mtimeMs, sizeBytes: 0, target: '' };
  if (found.isDirectory()) {
    yield headerOf({ ...entry, kind: 'directory', path: `${name}/` });
    for (const child of (await readdir(path)).sort()) yield* packOne(join(path, child), `${name}/${child}`);
  } else if (found.isSymbolicLink()) yield headerOf({ ...entry, kind: 'symlink', target: await readlink(path) });
  else if (found.isFile()) {
    yield headerOf({ ...entry, kind: 'file', sizeBytes: found.size });
    // Of a file that grows meanwhile, what the header promised.
    if (found.size > 0)
      for await (const chunk of createReadStream(path, { end: found.size - 1 })) yield chunk as Buffer;
    yield paddingOf(found.size);
  }
}

/**
 * Writes an entry below `folder`. Nothing is ever written outside of it: neither by names with `..`, nor through links
 * that the archive itself brought.
 * @returns why an entry was left out; undefined when it was written
 */
export async function unpackEntry(folder: string, relative: string, entry: ReadEntry): Promise<string | undefined> {
  const path = resolve(folder, relative);
  const root = resolve(folder);
  if (path !== root && !path.startsWith(root + sep)) return 'it would be outside of the target';
  if (entry.kind === 'symlink') return 'symbolic links are not copied';
  if (entry.kind === 'other') return 'it is neither file nor folder';
  const parent = entry.kind === 'directory' ? path : dirname(path);
  await mkdir(parent, { recursive: true });
  const [realRoot, realParent] = await Promise.all([
    realpath(path === root && entry.kind === 'file' ? dirname(root) : root),
    realpath(parent),
  ]);
  if (realParent !== realRoot && !realParent.startsWith(realRoot + sep)) return 'it would be outside of the target';
  if (entry.kind === 'directory') return undefined;
  await pipeline(entry.body, createWriteStream(path));
  await chmod(path, entry.mode & 0o777);
  return undefined;
}
