import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { type BuildResult, build } from 'esbuild';
import { BUNDLER_VERSION, type Bundle, type BundleManifest, bundleFolder } from './bundles.ts';
import { inAscii, leanPlugin, requiredBuiltins } from './lean.ts';

/** Older ones are kept because a running daemon may still load a part of its bundle. */
const BUNDLES_KEPT_MAX = 5;

/**
 * Bundles one program. `import()` stays lazy (its target becomes a file of its own), so that a command loads only what
 * it uses. Names are kept: stack traces of bundles stay readable without source maps, which would slow every start.
 * @throws when the sources do not compile, with the compiler's messages
 */
export async function buildBundle(root: string, name: string, entry: string): Promise<Bundle> {
  const result = await compile(root, entry);
  const hash = createHash('sha256');
  const folderNow = join(root, 'out');
  const files = result.outputFiles
    .map((file) => ({ path: relative(folderNow, file.path), contents: inAscii(file.contents) }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
  for (const file of files) hash.update(file.path).update(file.contents);
  const folder = join(bundleFolder, `${name}-${hash.digest('hex').slice(0, 16)}`);
  if (!existsSync(join(root, folder))) await writeBundle(root, folder, files);
  const manifest: BundleManifest = {
    bundler: BUNDLER_VERSION,
    file: join(folder, 'main.mjs'),
    inputs: await inputsOf(root, result.metafile.inputs),
  };
  await writeAtomically(join(root, bundleFolder, `${name}.json`), JSON.stringify(manifest));
  await forgetOld(root, name, folder);
  return { name, file: join(root, manifest.file) };
}

type Compiled = BuildResult<{ write: false; metafile: true }>;

async function compile(root: string, entry: string): Promise<Compiled> {
  return build({
    absWorkingDir: root,
    entryPoints: { main: entry },
    outdir: 'out',
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    write: false,
    metafile: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    keepNames: false,
    legalComments: 'none',
    logLevel: 'silent',
    // The compiler finds its native program beside its own files.
    external: ['esbuild'],
    plugins: [leanPlugin(root), requiredBuiltins],
    banner: { js: moduleBanner },
    define: { __dirname: 'wherryFolder', __filename: 'wherryFile' },
  });
}

/** Libraries in CommonJS use these, which a module does not have by itself. */
const moduleBanner = [
  "const require = process.getBuiltinModule('node:module').createRequire(import.meta.url);",
  'const wherryFolder = import.meta.dirname;',
  'const wherryFile = import.meta.filename;',
].join('\n');

async function writeBundle(
  root: string,
  folder: string,
  files: readonly { readonly path: string; readonly contents: Uint8Array }[],
): Promise<void> {
  const draft = join(root, bundleFolder, `draft-${randomUUID()}`);
  await mkdir(draft, { recursive: true });
  await Promise.all(files.map((file) => writeFile(join(draft, file.path), file.contents)));
  try {
    await rename(draft, join(root, folder));
  } catch (error) {
    // Another process made the same bundle at the same time.
    if (!existsSync(join(root, folder))) throw error;
    await rm(draft, { recursive: true });
  }
}

async function inputsOf(root: string, inputs: Readonly<Record<string, unknown>>): Promise<BundleManifest['inputs']> {
  const paths = Object.keys(inputs).filter(
    (path) => !path.includes('node_modules/') && !/^(<|unused:|lean:|builtin:)/.test(path),
  );
  return Promise.all(
    [...paths, 'package-lock.json'].map(async (path) => {
      const found = await stat(join(root, path));
      return [path, found.mtimeMs, found.size] as const;
    }),
  );
}

async function writeAtomically(path: string, text: string): Promise<void> {
  const draft = join(dirname(path), `draft-${randomUUID()}`);
  await writeFile(draft, text);
  await rename(draft, path);
}

async function forgetOld(root: string, name: string, current: string): Promise<void> {
  const folder = join(root, bundleFolder);
  const mine = (await readdir(folder)).filter((entry) => new RegExp(`^${name}-[0-9a-f]{16}$`).test(entry));
  const dated = await Promise.all(
    mine.map(async (entry) => ({ entry, modifiedMs: (await stat(join(folder, entry))).mtimeMs })),
  );
  const old = dated
    .filter(({ entry }) => join(bundleFolder, entry) !== current)
    .sort((a, b) => b.modifiedMs - a.modifiedMs);
  await Promise.all(
    old.slice(BUNDLES_KEPT_MAX - 1).map(({ entry }) => rm(join(folder, entry), { recursive: true, force: true })),
  );
}
