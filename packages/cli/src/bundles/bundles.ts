import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Programs always run as one bundled file each (measured by us: 450 ms to load the sources, 19 ms to load the bundle).
 * A bundle is kept under the hash of its contents; a manifest beside it remembers the sources it was made from.
 */
export interface Bundle {
  readonly name: string;
  /** Absolute path of the program to give to Node. */
  readonly file: string;
}

/** To be raised when build.ts or lean.ts make something else of the same sources: bundles of before are made anew. */
export const BUNDLER_VERSION = 3;

/** What is in `<name>.json`. Paths are relative to the root of the repository. */
export interface BundleManifest {
  readonly bundler: number;
  readonly file: string;
  /** `[path, modification time in ms, size in bytes]` of each source and of package-lock.json, which stands for all libraries. */
  readonly inputs: readonly (readonly [path: string, modifiedMs: number, sizeBytes: number])[];
}

export const bundleFolder = join('.cache', 'bundles');

/** The bundle when none of its sources changed since it was made. Costs one `stat` for each source. */
export function freshBundle(root: string, name: string): Bundle | undefined {
  const manifest = readManifest(join(root, bundleFolder, `${name}.json`));
  if (manifest?.bundler !== BUNDLER_VERSION) return undefined;
  for (const [path, modifiedMs, sizeBytes] of manifest.inputs) {
    const found = statSync(join(root, path), { throwIfNoEntry: false });
    if (found === undefined || found.mtimeMs !== modifiedMs || found.size !== sizeBytes) return undefined;
  }
  const file = join(root, manifest.file);
  return statSync(file, { throwIfNoEntry: false }) === undefined ? undefined : { name, file };
}

/** The bundle, made anew when a source changed. The compiler is loaded only then. */
export async function ensureBundle(root: string, name: string, entry: string): Promise<Bundle> {
  const fresh = freshBundle(root, name);
  if (fresh !== undefined) return fresh;
  const key = `${root}\0${name}`;
  const running = building.get(key) ?? import('./build.ts').then(({ buildBundle }) => buildBundle(root, name, entry));
  building.set(key, running);
  try {
    return await running;
  } finally {
    building.delete(key);
  }
}

/** Three nodes ask for the same program at the same time. */
const building = new Map<string, Promise<Bundle>>();

function readManifest(path: string): BundleManifest | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    // Not made yet, or a build was interrupted while it wrote: both mean that it must be made.
    if (error instanceof SyntaxError || (error instanceof Error && 'code' in error && error.code === 'ENOENT'))
      return undefined;
    throw error;
  }
}
