import { mkdtemp, readdir, readFile, readlink, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { currentVersion, writeAtomically } from './atomic-writer.ts';

let directory: string;
const file = (content: string, mode = 0o644) => ({ content, mode });

describe('writeAtomically', () => {
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'wherry-volume-'));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  it('shows files through one link, with their modes', async () => {
    const payload = new Map([
      ['a', file('1', 0o400)],
      ['deep/b', file('2')],
    ]);
    await writeAtomically(directory, payload, { version: '..v1', group: undefined });
    expect((await readdir(directory)).sort()).toEqual(['..data', '..v1', 'a', 'deep']);
    expect(await readlink(join(directory, '..data'))).toBe('..v1');
    expect(await readlink(join(directory, 'a'))).toBe('..data/a');
    expect(await readFile(join(directory, 'deep/b'), 'utf8')).toBe('2');
    expect((await stat(join(directory, 'a'))).mode & 0o777).toBe(0o400);
  });

  it('switches to the next version and leaves nothing of the last', async () => {
    await writeAtomically(
      directory,
      new Map([
        ['a', file('1')],
        ['old', file('x')],
      ]),
      { version: '..v1', group: undefined },
    );
    await writeAtomically(
      directory,
      new Map([
        ['a', file('2')],
        ['new', file('y')],
      ]),
      { version: '..v2', group: undefined },
    );
    expect((await readdir(directory)).sort()).toEqual(['..data', '..v2', 'a', 'new']);
    expect(await readFile(join(directory, 'a'), 'utf8')).toBe('2');
    expect(await currentVersion(directory)).toBe('..v2');
  });

  it('can be repeated after a crash half way', async () => {
    await writeAtomically(directory, new Map([['a', file('1')]]), { version: '..v1', group: undefined });
    await rm(join(directory, 'a'));
    await writeAtomically(directory, new Map([['a', file('1')]]), { version: '..v1', group: undefined });
    expect(await readFile(join(directory, 'a'), 'utf8')).toBe('1');
  });

  it('knows of no version before the first', async () => {
    expect(await currentVersion(directory)).toBeUndefined();
  });
});
