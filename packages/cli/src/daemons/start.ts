import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, open, readFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { rfc3339 } from '@wherry/daemon';
import { ensureBundle } from '../bundles/bundles.ts';
import type { ClusterLayout } from '../cluster/layout.ts';
import type { Context } from '../context.ts';
import { Failure, hasCode } from '../failure.ts';
import { daemonSettings, nodeFlags } from './node-flags.ts';
import type { DesiredDaemon } from './plan.ts';
import { identify } from './process-identity.ts';
import { type DaemonRecord, writeRecord } from './records.ts';
import type { DaemonKind, DaemonSpec } from './spec.ts';

/** A larger log is set aside when its daemon starts again; one older log is kept. */
const LOG_BYTES_MAX = 64 << 20;

/** The program of a kind of daemon, made anew when its sources changed. */
export async function daemonProgram(context: Context, kind: DaemonKind): Promise<string> {
  const entry = kind === 'hollow-nodes' ? 'kubelet/src/hollow' : `${kind}/src`;
  const bundle = await ensureBundle(context.root, kind, `packages/${entry}/main.ts`);
  return bundle.file;
}

/**
 * The whole command line of a daemon.
 * @param namespace process id of the anchor whose network namespace the daemon enters; `nsenter` becomes the daemon
 */
export async function desiredDaemon(
  context: Context,
  spec: DaemonSpec,
  program: string,
  namespace: number | undefined,
): Promise<DesiredDaemon> {
  const enter = namespace === undefined ? [] : ['nsenter', `--net=/proc/${namespace}/ns/net`, '--'];
  const command = [...enter, context.node, ...nodeFlags(spec.kind), program, ...spec.flags];
  const hash = createHash('sha256').update(JSON.stringify(command));
  for (const file of spec.files) hash.update(await readFile(file));
  return { spec, command, digest: hash.digest('hex') };
}

/** Starts a daemon in a session of its own, so that it outlives this process and its terminal, and records it. */
export async function startDaemon(
  context: Context,
  layout: ClusterLayout,
  daemon: DesiredDaemon,
): Promise<DaemonRecord> {
  const { spec, command, digest } = daemon;
  await mkdir(layout.logs, { recursive: true, mode: 0o700 });
  const path = logPath(layout, spec.name);
  await setAsideLargeLog(path);
  const log = await open(path, 'a', 0o600);
  try {
    const [program = '', ...args] = command;
    const child = spawn(program, args, {
      cwd: layout.folder,
      detached: true,
      env: daemonEnvironment(context),
      stdio: ['ignore', log.fd, log.fd],
    });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', (cause) => reject(new Failure(`Cannot start ${spec.name}`, { cause })));
    });
    child.unref();
    const identity = child.pid === undefined ? undefined : identify(child.pid);
    if (identity === undefined) throw new Failure(`${spec.name} ended at once: ${await lastWords(layout, spec.name)}`);
    const record: DaemonRecord = { spec, command, digest, process: identity, startedAt: rfc3339(context.clock.now()) };
    await writeRecord(layout, record);
    return record;
  } finally {
    await log.close();
  }
}

export function logPath(layout: ClusterLayout, daemon: string): string {
  return join(layout.logs, `${daemon}.jsonl`);
}

const TAIL_BYTES = 8192;

/** The last message in a daemon's log, for people. */
export async function lastWords(layout: ClusterLayout, daemon: string): Promise<string> {
  const path = logPath(layout, daemon);
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const length = Math.min(size, TAIL_BYTES);
    const { buffer } = await file.read(Buffer.alloc(length), 0, length, size - length);
    const line = buffer.toString('utf8').trim().split('\n').at(-1) ?? '';
    return line === '' ? `it wrote nothing to ${path}` : `${messageOf(line)} (see ${path})`;
  } finally {
    await file.close();
  }
}

/** @returns the line itself when it is no log record, for example the end of a stack trace */
function messageOf(line: string): string {
  try {
    const record: { msg?: string; err?: { message?: string } } = JSON.parse(line);
    return [record.msg, record.err?.message].filter((text) => text !== undefined).join(': ') || line;
  } catch (error) {
    if (error instanceof SyntaxError) return line;
    throw error;
  }
}

/** Ours without WHERRY_…: those are flags to a daemon, and meant for one that is started by hand. */
function daemonEnvironment(context: Context): NodeJS.ProcessEnv {
  const given = Object.entries(context.environment).filter(([name]) => !name.startsWith('WHERRY_'));
  return { ...daemonSettings, ...Object.fromEntries(given) };
}

async function setAsideLargeLog(path: string): Promise<void> {
  try {
    if ((await stat(path)).size > LOG_BYTES_MAX) await rename(path, `${path}.1`);
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
  }
}
