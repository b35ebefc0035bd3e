import { watch } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { clusterLayout } from '../cluster/layout.ts';
import { requireConfig } from '../cluster/stored-config.ts';
import type { Context } from '../context.ts';
import { Failure, hasCode } from '../failure.ts';
import { select } from './actions.ts';
import { observeDaemons } from './records.ts';
import { logPath } from './start.ts';

const CHUNK_BYTES = 1 << 16;
/** How far back `--tail` looks. */
const TAIL_BYTES_MAX = 8 << 20;
/** In case the file system tells of no change. */
const LOOK_AGAIN_MS = 1000;

/** Prints a daemon's log, and what is added to it until interrupted. */
export async function showLog(
  context: Context,
  cluster: string,
  daemon: string,
  options: { readonly follow: boolean; readonly tail?: number },
): Promise<void> {
  const layout = clusterLayout(context.home, cluster);
  requireConfig(layout);
  const specs = observeDaemons(layout).map(({ record }) => record.spec);
  // A cluster that is down has no daemons, but their logs are there.
  const name = specs.length === 0 ? daemon : select(specs, daemon, layout).name;
  const file = await openLog(logPath(layout, name), name);
  try {
    let position = options.tail === undefined ? 0 : await tailStart(file, options.tail);
    position = await copy(context, file, position);
    while (options.follow && !context.signal.aborted) {
      await change(context, logPath(layout, name));
      position = await copy(context, file, position);
    }
  } finally {
    await file.close();
  }
}

async function openLog(path: string, daemon: string): Promise<FileHandle> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) throw new Failure(`There is no log of a daemon "${daemon}" (${path})`);
    throw error;
  }
}

async function copy(context: Context, file: FileHandle, from: number): Promise<number> {
  let position = from;
  for (;;) {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(CHUNK_BYTES), 0, CHUNK_BYTES, position);
    if (bytesRead === 0) return position;
    position += bytesRead;
    await context.terminal.write(buffer.subarray(0, bytesRead));
  }
}

/** Where the last `lines` lines begin. */
async function tailStart(file: FileHandle, lines: number): Promise<number> {
  const { size } = await file.stat();
  const length = Math.min(size, TAIL_BYTES_MAX);
  const { buffer } = await file.read(Buffer.alloc(length), 0, length, size - length);
  let at = length - 1;
  for (let left = lines; left > 0 && at >= 0; left--) at = at === 0 ? -1 : buffer.lastIndexOf(10, at - 1);
  return size - length + Math.max(0, at + 1);
}

function change(context: Context, path: string): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      watcher.close();
      timer.cancel();
      context.signal.removeEventListener('abort', done);
      resolve();
    };
    const watcher = watch(path, done);
    const timer = context.clock.setTimer(LOOK_AGAIN_MS, done);
    context.signal.addEventListener('abort', done, { once: true });
  });
}
