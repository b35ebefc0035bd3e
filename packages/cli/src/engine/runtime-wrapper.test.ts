import { execFileSync } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runtimeWrapper } from './runtime-wrapper.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wherry-wrapper-'));
  await writeFile(join(folder, 'wrapper'), runtimeWrapper(['SYS_RESOURCE', 'PERFMON']));
  await writeFile(join(folder, 'runc'), '#!/bin/sh\necho "$@"\n');
  await chmod(join(folder, 'wrapper'), 0o755);
  await chmod(join(folder, 'runc'), 0o755);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const run = (...args: readonly string[]): string =>
  execFileSync(join(folder, 'wrapper'), args, { encoding: 'utf8', env: { PATH: `${folder}:/usr/bin:/bin` } }).trim();

test.each([
  { name: 'first', given: ['CAP_SYS_RESOURCE', 'CAP_KILL'], left: ['CAP_KILL'] },
  { name: 'last', given: ['CAP_KILL', 'CAP_PERFMON'], left: ['CAP_KILL'] },
  { name: 'alone', given: ['CAP_SYS_RESOURCE'], left: [] },
  { name: 'both', given: ['CAP_PERFMON', 'CAP_SYS_RESOURCE', 'CAP_KILL'], left: ['CAP_KILL'] },
  { name: 'none', given: ['CAP_KILL'], left: ['CAP_KILL'] },
])('the wrapper takes out what is missing: $name', async ({ given, left }) => {
  const process = { capabilities: { bounding: given }, oomScoreAdj: -998, env: ['X="CAP_SYS_RESOURCE"'] };
  await writeFile(join(folder, 'config.json'), JSON.stringify({ process }));
  expect(run('--root', '/r', 'create', '--bundle', folder, 'id')).toBe(`--root /r create --bundle ${folder} id`);
  const config = JSON.parse(await readFile(join(folder, 'config.json'), 'utf8'));
  expect(config.process).toEqual({ capabilities: { bounding: left }, oomScoreAdj: 0, env: ['X="CAP_SYS_RESOURCE"'] });
});

test('the wrapper edits the process of an exec, and passes other calls on', async () => {
  await writeFile(join(folder, 'process.json'), '{"capabilities":{"effective":["CAP_SYS_RESOURCE"]},"oomScoreAdj":5}');
  run('exec', `--process=${join(folder, 'process.json')}`, 'id');
  expect(await readFile(join(folder, 'process.json'), 'utf8')).toBe(
    '{"capabilities":{"effective":[]},"oomScoreAdj":5}',
  );
  expect(run('state', 'id')).toBe('state id');
});
