import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { arch, platform, tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { contentLabel, imageArchive } from './archive.ts';
import { architectureOf } from './engine.ts';
import { pauseElf } from './pause/elf.ts';
import { sandboxImage } from './sandbox-image.ts';
import { type LayerEntry, tarPieces } from './tar.ts';

const inFolder = async (work: (folder: string) => Promise<void>): Promise<void> => {
  const folder = await mkdtemp(join(tmpdir(), 'wherry-images-'));
  await work(folder).finally(() => rm(folder, { recursive: true, force: true }));
};

test('tarPieces is read by tar, with parents, links and modes', () =>
  inFolder(async (folder) => {
    const entries: LayerEntry[] = [
      { kind: 'file', path: 'usr/bin/tool', mode: 0o755, content: [Buffer.from('to'), Buffer.from('ol')] },
      { kind: 'link', path: 'bin', target: 'usr/bin' },
    ];
    await writeFile(join(folder, 'a.tar'), Buffer.concat(tarPieces(entries)));
    const listing = execFileSync('tar', ['-tvf', 'a.tar'], { cwd: folder, encoding: 'utf8' }).trim().split('\n');
    expect(listing.map((line) => `${line.slice(0, 10)} ${line.split(/\s+/).slice(5).join(' ')}`)).toEqual([
      'drwxr-xr-x usr/',
      'drwxr-xr-x usr/bin/',
      '-rwxr-xr-x usr/bin/tool',
      'lrwxrwxrwx bin -> usr/bin',
    ]);
    expect(execFileSync('tar', ['-xOf', 'a.tar', 'usr/bin/tool'], { cwd: folder, encoding: 'utf8' })).toBe('tool');
    const long: LayerEntry = { kind: 'file', path: 'x'.repeat(101), mode: 0o644, content: Buffer.alloc(0) };
    expect(() => tarPieces([long])).toThrow(/longer than 100 bytes/);
  }));

test('imageArchive is the same for the same sources and names its content', async () => {
  const first = Buffer.concat(await imageArchive([sandboxImage('amd64')], 'amd64'));
  expect(Buffer.concat(await imageArchive([sandboxImage('amd64')], 'amd64'))).toEqual(first);
  expect(first.includes('"RepoTags":["wherry/pause:1"]')).toBe(true);
  expect(first.includes(`"${contentLabel}":"pause-1-amd64"`)).toBe(true);
});

test('a layer shared by two images is in the archive once', async () => {
  const shared: readonly LayerEntry[] = [
    { kind: 'file', path: 'big', mode: 0o644, content: Buffer.alloc(10_000, 'x') },
  ];
  const source = (reference: string) => ({
    reference,
    contentKey: reference,
    config: {},
    layers: async () => [shared],
  });
  const one = Buffer.concat(await imageArchive([source('a:1')], 'amd64')).length;
  const two = Buffer.concat(await imageArchive([source('a:1'), source('a:2')], 'amd64')).length;
  expect(two - one).toBeLessThan(10_000);
});

test('pauseElf has the right words for both machines', () => {
  const arm64 = pauseElf('arm64');
  const words = new Uint32Array(arm64.buffer.slice(120, 120 + 4 * 6));
  // movz x0,#0; adr x1,signals; movz x2,#0; movz x3,#8; movz x8,#135; svc #0
  const signalsAt = arm64.length - 8 - 124;
  expect([...words]).toEqual([
    0xd2800000,
    0x10000001 + (signalsAt << 3),
    0xd2800002,
    0xd2800103,
    0xd28010e8,
    0xd4000001,
  ]);
  expect(pauseElf('amd64')[18]).toBe(62);
  expect(() => architectureOf('riscv64')).toThrow(/only amd64 and arm64/);
});

test.runIf(platform() === 'linux')('the pause program waits, and ends with 0 on SIGTERM and SIGINT', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'pause');
    await writeFile(path, pauseElf(architectureOf(arch())), { mode: 0o755 });
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      const child = spawn(path);
      await once(child, 'spawn');
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect(child.exitCode).toBeNull();
      child.kill(signal);
      expect((await once(child, 'exit'))[0]).toBe(0);
    }
  }),
);
