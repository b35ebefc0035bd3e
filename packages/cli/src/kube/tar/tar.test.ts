import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { packFiles, unpackEntry } from './files.ts';
import { headerOf, paddingOf, type TarEntry } from './format.ts';
import { readTar } from './read.ts';

const long = 'l'.repeat(150);
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'wherry-tar-'));
  mkdirSync(join(folder, 'from/sub'), { recursive: true });
  writeFileSync(join(folder, 'from/a'), 'A'.repeat(1000), { mode: 0o750 });
  writeFileSync(join(folder, 'from/sub', long), 'long');
  writeFileSync(join(folder, 'from/empty'), '');
});
afterEach(() => rmSync(folder, { recursive: true }));

async function* inPieces(bytes: Buffer, length: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
}

async function unpack(archive: AsyncIterable<Buffer>, to: string): Promise<readonly string[]> {
  const refusals: string[] = [];
  for await (const entry of readTar(archive)) {
    const refusal = await unpackEntry(to, entry.path, entry);
    if (refusal !== undefined) refusals.push(`${entry.path}: ${refusal}`);
  }
  return refusals;
}

describe('archives', () => {
  it.each([1, 100, 512, 1_000_000])('come back as they were, in pieces of %i bytes', async (length) => {
    const archive = await buffer(packFiles(join(folder, 'from'), 'x'));
    expect(await unpack(inPieces(archive, length), join(folder, 'to'))).toEqual([]);
    expect(readFileSync(join(folder, 'to/x/a'), 'utf8')).toBe('A'.repeat(1000));
    expect(statSync(join(folder, 'to/x/a')).mode & 0o777).toBe(0o750);
    expect(readFileSync(join(folder, 'to/x/sub', long), 'utf8')).toBe('long');
    expect(readFileSync(join(folder, 'to/x/empty'), 'utf8')).toBe('');
  });

  it('are understood by tar, and tar’s here', async () => {
    writeFileSync(join(folder, 'x.tar'), await buffer(packFiles(join(folder, 'from'), 'x')));
    expect(execFileSync('tar', ['tf', join(folder, 'x.tar')], { encoding: 'utf8' })).toBe(
      `x/\nx/a\nx/empty\nx/sub/\nx/sub/${long}\n`,
    );
    const theirs = execFileSync('tar', ['cf', '-', '-C', folder, 'from']);
    expect(await unpack(inPieces(theirs, 700), join(folder, 'to'))).toEqual([]);
    expect(readFileSync(join(folder, 'to/from/sub', long), 'utf8')).toBe('long');
  });

  it('cannot write outside of the target', async () => {
    const entry: TarEntry = { kind: 'file', path: '../evil', mode: 0o644, sizeBytes: 1, modifiedMs: 0, target: '' };
    const bad = (one: TarEntry) => Buffer.concat([headerOf(one), Buffer.from('x'), paddingOf(1)]);
    mkdirSync(join(folder, 'to'));
    symlinkSync(folder, join(folder, 'to/out'));
    const archive = Buffer.concat([bad(entry), bad({ ...entry, path: 'out/evil' })]);
    const refusals = await unpack(inPieces(archive, 512), join(folder, 'to'));
    expect(refusals).toEqual([
      '../evil: it would be outside of the target',
      'out/evil: it would be outside of the target',
    ]);
    expect(existsSync(join(folder, 'evil'))).toBe(false);
  });

  it('must be whole', async () => {
    const archive = await buffer(packFiles(join(folder, 'from'), 'x'));
    await expect(unpack(inPieces(archive.subarray(0, 1300), 512), join(folder, 'to'))).rejects.toThrow(
      'ends in the middle',
    );
    archive[3] = 0x41;
    await expect(unpack(inPieces(archive, 512), join(folder, 'to'))).rejects.toThrow('wrong checksum');
  });
});
