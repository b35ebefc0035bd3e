import { Readable } from 'node:stream';
import { contentLabel, type ImageSource, imageArchive } from './archive.ts';
import type { Architecture } from './pause/program.ts';

/** The part of a Docker client that images need; a dockerode `Docker` is one. */
export interface ImageEngine {
  getImage(reference: string): {
    inspect(): Promise<{ readonly Config: { readonly Labels?: Record<string, string> | null } }>;
  };
  loadImage(archive: NodeJS.ReadableStream): Promise<NodeJS.ReadableStream>;
  version(): Promise<{ readonly Arch: string }>;
}

/**
 * Loads those of the images that the engine lacks or has with other contents, and returns their references. No
 * registry is asked. The engine's own architecture is used, which on a laptop need not be this process's.
 * @throws when the engine refuses the archive, with the engine's words.
 */
export async function ensureImages(engine: ImageEngine, sources: readonly ImageSource[]): Promise<readonly string[]> {
  const present = await Promise.all(sources.map((source) => isPresent(engine, source)));
  const missing = sources.filter((_, index) => present[index] === false);
  if (missing.length === 0) return [];
  const pieces = await imageArchive(missing, architectureOf((await engine.version()).Arch));
  const answer = await engine.loadImage(Readable.from(pieces, { objectMode: false }));
  await readAnswer(answer, missing);
  return missing.map((source) => source.reference);
}

async function isPresent(engine: ImageEngine, source: ImageSource): Promise<boolean> {
  try {
    const image = await engine.getImage(source.reference).inspect();
    return image.Config.Labels?.[contentLabel] === source.contentKey;
  } catch (error) {
    if (error instanceof Error && 'statusCode' in error && error.statusCode === 404) return false;
    throw error;
  }
}

export function architectureOf(name: string): Architecture {
  if (name === 'amd64' || name === 'x86_64' || name === 'x64') return 'amd64';
  if (name === 'arm64' || name === 'aarch64') return 'arm64';
  throw new Error(`Cannot make images for architecture "${name}": only amd64 and arm64 are known`);
}

const ANSWER_BYTES_MAX = 1 << 20;

/** The engine answers 200 and puts failures into the stream, as one JSON object per line. */
async function readAnswer(answer: NodeJS.ReadableStream, sources: readonly ImageSource[]): Promise<void> {
  let text = '';
  for await (const piece of answer) {
    if (text.length < ANSWER_BYTES_MAX) text += piece.toString();
  }
  const failure = /"error":"((?:[^"\\]|\\.)*)"/.exec(text)?.[1];
  if (failure === undefined) return;
  const references = sources.map((source) => source.reference).join(', ');
  throw new Error(`Cannot load images ${references}: the Docker engine says: ${failure}`);
}
