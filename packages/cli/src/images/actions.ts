import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, readdir, readFile, readlink } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { ensureImages, type ImageEngine, type LayerEntry } from '@wherry/images';
import type { Context } from '../context.ts';
import { dockerAt, engineVersion } from '../engine/docker.ts';
import { dockerHost } from '../engine/provider.ts';
import { Failure } from '../failure.ts';
import { echoImages } from './echo-image.ts';

/** Makes the sample images, or says that they are there. */
export async function makeSamples(context: Context): Promise<void> {
  const engine = await engineOf(context);
  const sources = await echoImages(context);
  const made = new Set(await ensureImages(engine, sources));
  for (const { reference } of sources)
    context.terminal.out(`${reference} ${made.has(reference) ? 'made' : 'is there already'}`);
}

/** Loads an archive as `docker save` writes it; every node of this machine has its images then. */
export async function loadArchive(context: Context, path: string): Promise<void> {
  const engine = dockerAt(await hostOf(context));
  const answer = await engine.loadImage(createReadStream(path));
  for await (const piece of answer) {
    for (const line of piece
      .toString()
      .split('\n')
      .filter((text: string) => text !== '')) {
      const { stream, error }: { stream?: string; error?: string } = JSON.parse(line);
      if (error !== undefined) throw new Failure(`Cannot load ${path}: ${error}`);
      if (stream !== undefined) context.terminal.out(stream.trim());
    }
  }
}

export interface ImportOptions {
  readonly entrypoint: readonly string[];
  readonly env: readonly string[];
}

/** Makes an image of a folder's contents. */
export async function importFolder(
  context: Context,
  folder: string,
  reference: string,
  options: ImportOptions,
): Promise<void> {
  const engine = await engineOf(context);
  const root = resolve(folder);
  await ensureImages(engine, [
    {
      reference,
      // A folder's contents have no cheap fingerprint: an import is always carried out.
      contentKey: randomUUID(),
      config: {
        Env: ['PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin', ...options.env],
        Entrypoint: options.entrypoint,
      },
      layers: async () => [await entriesBelow(root, root)],
    },
  ]);
  context.terminal.out(`${reference} imported from ${root}`);
}

async function entriesBelow(root: string, folder: string): Promise<readonly LayerEntry[]> {
  const entries: LayerEntry[] = [];
  for (const name of (await readdir(folder)).sort()) {
    const from = join(folder, name);
    const path = relative(root, from);
    const found = await lstat(from);
    const mode = found.mode & 0o7777;
    if (found.isDirectory()) entries.push({ kind: 'folder', path, mode }, ...(await entriesBelow(root, from)));
    else if (found.isSymbolicLink()) entries.push({ kind: 'link', path, target: await readlink(from) });
    else if (found.isFile()) entries.push({ kind: 'file', path, mode, content: await readFile(from) });
    else throw new Failure(`Cannot import ${from}: it is neither a file, a folder nor a symbolic link`);
  }
  return entries;
}

async function engineOf(context: Context): Promise<ImageEngine> {
  return dockerAt(await hostOf(context));
}

async function hostOf(context: Context): Promise<string> {
  const host = dockerHost(context);
  if ((await engineVersion(host)) === undefined)
    throw new Failure(`No Docker engine answers at ${host}: "wherry engine start" provides one`);
  return host;
}
