import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { lockDirectory } from './data-lock.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wherry-lock-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const holder = async (): Promise<string> => readFile(join(folder, 'LOCK'), 'utf8');

test('a living holder keeps others out, and may let go', async () => {
  const release = await lockDirectory(folder, process.ppid);
  await expect(lockDirectory(folder, process.pid)).rejects.toThrow(`process ${process.ppid} is using it`);
  await release();
  await lockDirectory(folder, process.pid);
  expect(await holder()).toMatch(new RegExp(`^${process.pid} \\d+$`));
});

test('a holder that has ended is replaced, also while its parent has not taken notice', async () => {
  // The shell becomes a program that never asks for its child's end, which so stays as a zombie.
  const parent = spawn('sh', ['-c', 'sleep 0.3 & echo $!; exec sleep 60']);
  const child = Number(
    await new Promise<string>((resolve) => parent.stdout.once('data', (text) => resolve(String(text)))),
  );
  await lockDirectory(folder, child);
  await expect(lockDirectory(folder, process.pid)).rejects.toThrow(`process ${child} is using it`);
  while (!/\) Z /.test(await readFile(`/proc/${child}/stat`, 'utf8')))
    await new Promise((resolve) => setTimeout(resolve, 20));
  await lockDirectory(folder, process.pid);
  expect(await holder()).toMatch(new RegExp(`^${process.pid} `));
  parent.kill('SIGKILL');
});
