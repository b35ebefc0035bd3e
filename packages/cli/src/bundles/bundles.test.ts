import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type BundleManifest, bundleFolder, ensureBundle, freshBundle } from './bundles.ts';

const repository = resolve(import.meta.dirname, '../../../..');
let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'wherry-bundles-'));
  await symlink(join(repository, 'node_modules'), join(root, 'node_modules'));
  await mkdir(join(root, 'src'));
  await writeFile(join(root, 'package-lock.json'), '{}');
  await writeFile(
    join(root, 'src/main.ts'),
    "import { word } from './word.ts';\nconsole.log(word, __dirname !== undefined);\n",
  );
  await writeFile(join(root, 'src/word.ts'), "export const word: string = 'one';\n");
});
afterEach(() => rm(root, { recursive: true, force: true }));

const output = (file: string): string => execFileSync(process.execPath, [file], { encoding: 'utf8' }).trim();

test('a bundle is made once and again only when a source changes', async () => {
  expect(freshBundle(root, 'x')).toBeUndefined();
  const first = await ensureBundle(root, 'x', 'src/main.ts');
  expect(output(first.file)).toBe('one true');
  expect(freshBundle(root, 'x')).toEqual(first);
  await writeFile(join(root, 'src/word.ts'), "export const word: string = 'three';\n");
  expect(freshBundle(root, 'x')).toBeUndefined();
  const second = await ensureBundle(root, 'x', 'src/main.ts');
  expect(output(second.file)).toBe('three true');
  expect(second.file).not.toBe(first.file);
});

test('touching a source changes nothing about the bundle', async () => {
  const first = await ensureBundle(root, 'x', 'src/main.ts');
  await utimes(join(root, 'src/word.ts'), 1, 1);
  expect(freshBundle(root, 'x')).toBeUndefined();
  expect(await ensureBundle(root, 'x', 'src/main.ts')).toEqual(first);
  expect(freshBundle(root, 'x')).toEqual(first);
});

test('a bundle by another version of the bundler is made anew', async () => {
  await ensureBundle(root, 'x', 'src/main.ts');
  const path = join(root, bundleFolder, 'x.json');
  const manifest: BundleManifest = JSON.parse(await readFile(path, 'utf8'));
  await writeFile(path, JSON.stringify({ ...manifest, bundler: manifest.bundler - 1 }));
  expect(freshBundle(root, 'x')).toBeUndefined();
});

test('parts of Node.js bring nothing along that is not asked for', async () => {
  const program = [
    "import http, { request } from 'node:http';",
    "import { constants } from 'node:http2';",
    "import { readFileSync } from 'fs';",
    "import * as path from 'node:path';",
    "import { EventEmitter } from 'node:events';",
    'class Mine extends EventEmitter {}',
    "const lazy = await import('node:os');",
    'const known = [http.request === request, typeof readFileSync, path.sep, new Mine().on !== undefined, lazy.EOL];',
    "const fetching = process.moduleLoadList.some((name) => name.includes('deps/undici/undici'));",
    'console.log(JSON.stringify([...known, fetching]));',
  ];
  await writeFile(join(root, 'src/main.ts'), program.join('\n'));
  const { file } = await ensureBundle(root, 'x', 'src/main.ts');
  expect(JSON.parse(output(file))).toEqual([true, 'function', '/', true, '\n', false]);
});

test('of undici only what the client uses is in a bundle', async () => {
  await writeFile(
    join(root, 'src/main.ts'),
    "import { Agent } from 'undici';\nconsole.log(typeof new Agent().request);\n",
  );
  const { file } = await ensureBundle(root, 'x', 'src/main.ts');
  expect(output(file)).toBe('function');
  expect((await stat(file)).size).toBeLessThan(450_000);
});

test('bundles made at the same time agree, and drafts do not stay', async () => {
  const both = await Promise.all([1, 2].map(() => ensureBundle(root, 'x', 'src/main.ts')));
  expect(both[0]).toEqual(both[1]);
  expect((await readdir(join(root, bundleFolder))).filter((name) => name.startsWith('draft-'))).toEqual([]);
});

test('sources that do not compile are refused with the compiler’s words', async () => {
  await writeFile(join(root, 'src/word.ts'), 'export const = 1;\n');
  await expect(ensureBundle(root, 'x', 'src/main.ts')).rejects.toThrow(/word\.ts.*Expected identifier/s);
});
