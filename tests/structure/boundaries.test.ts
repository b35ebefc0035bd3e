import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { codeOnly, matches, readSources, root, type Source } from './sources.ts';

interface Boundaries {
  /** Package → what it may import of the others: `name`, or `name/door`. */
  readonly packages: Readonly<Record<string, readonly string[]>>;
  readonly pureFolders: readonly string[];
  /** Where the host's clock, randomness, environment and console may be touched. */
  readonly hostAccess: readonly string[];
}

const boundaries = JSON.parse(readFileSync(join(root, 'boundaries.json'), 'utf8')) as Boundaries;
const sources = readSources('packages').filter(({ path }) => path.includes('/src/'));
const production = sources.filter(({ path }) => !path.endsWith('.test.ts'));
const packageOf = (path: string): string => path.split('/')[1] ?? '';

/** Offences as `file: what`, so that a failing run says what to change. */
function offences(of: readonly Source[], find: (source: Source) => readonly string[]): string[] {
  return of.flatMap((source) => find(source).map((what) => `${source.path}: ${what}`));
}

describe('boundaries', () => {
  it('finds sources to check', () => {
    expect(production.length).toBeGreaterThan(20);
    expect(new Set(production.map(({ path }) => packageOf(path)))).toEqual(new Set(Object.keys(boundaries.packages)));
  });

  it('lets each package import only what boundaries.json allows, and only by its door', () => {
    const found = offences(sources, ({ path, imports }) => {
      const allowed = boundaries.packages[packageOf(path)] ?? [];
      return imports
        .filter(({ specifier }) => specifier.startsWith('@wherry/'))
        .map(({ specifier }) => specifier.slice('@wherry/'.length))
        .filter((wanted) => !allowed.includes(wanted));
    });
    expect(found).toEqual([]);
  });

  it('lets no package reach into another by path', () => {
    const found = offences(sources, ({ path, imports }) =>
      imports
        .filter(({ specifier }) => specifier.startsWith('.'))
        .map(({ specifier }) => join(path, '..', specifier))
        .filter((target) => !target.startsWith(`packages/${packageOf(path)}/`)),
    );
    expect(found).toEqual([]);
  });

  it('keeps pure folders free of I/O, clocks, randomness and async', () => {
    for (const folder of boundaries.pureFolders) expect(existsSync(join(root, folder)), folder).toBe(true);
    const pure = production.filter(({ path }) => boundaries.pureFolders.some((folder) => matches(path, folder)));
    const found = offences(pure, ({ text, imports }) => [
      ...imports.filter(({ specifier }) => specifier.startsWith('node:')).map(({ specifier }) => specifier),
      ...(codeOnly(text).match(/\basync\b|\bawait\b|\bnew Date\(\)|\bprocess\.\w+/g) ?? []),
    ]);
    expect(found).toEqual([]);
  });

  it("touches the host's clock, randomness, environment and console only in named files", () => {
    const guarded = production.filter(({ path }) => !boundaries.hostAccess.some((allowed) => matches(path, allowed)));
    // A socket's own timeout (`socket.setTimeout`) is the kernel's idea of silence, not a timer of ours.
    const banned =
      /\bDate\.now\b|\bnew Date\(\)|\bMath\.random\b|(?<!\.)\bset(?:Timeout|Interval|Immediate)\b|\bprocess\.(?:env|argv)\b|\bconsole\.\w+/g;
    expect(offences(guarded, ({ text }) => codeOnly(text).match(banned) ?? [])).toEqual([]);
  });

  it('lets only the API server open the door into the store', () => {
    const users = sources.filter(({ imports }) =>
      imports.some(({ specifier }) => specifier.startsWith('@wherry/store')),
    );
    expect(new Set(users.map(({ path }) => packageOf(path)))).toEqual(new Set(['apiserver']));
  });
});

describe('layout', () => {
  const names = /^(utils?|common|helpers?|misc)(\.ts)?$/;

  it('names no folder or file after nothing', () => {
    expect(offences(sources, ({ path }) => path.split('/').filter((part) => names.test(part)))).toEqual([]);
  });

  it('has a DESIGN.md in every package', () => {
    const missing = Object.keys(boundaries.packages).filter(
      (name) => !existsSync(join(root, 'packages', name, 'DESIGN.md')),
    );
    expect(missing).toEqual([]);
  });

  it('leaves no unfinished marks', () => {
    const mark = new RegExp(
      `\\b(${['TO', 'FIX'].map((start) => `${start}${start === 'TO' ? 'DO' : 'ME'}`).join('|')}|XXX|HACK)\\b|@ts-(?:ignore|expect-error)`,
      'g',
    );
    expect(offences(sources, ({ text }) => text.match(mark) ?? [])).toEqual([]);
  });
});
