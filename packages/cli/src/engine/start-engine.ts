import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, open, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeWhole } from '@wherry/pki';
import { engineFolderName } from '../cluster/layout.ts';
import type { Context } from '../context.ts';
import { identify, type ProcessIdentity, signalProcess, stateOf } from '../daemons/process-identity.ts';
import { runProgram } from '../daemons/run-program.ts';
import { Failure, hasCode } from '../failure.ts';
import { engineVersion, usualDockerHost } from './docker.ts';
import { findProgram, type HostFacts } from './host-facts.ts';
import { runtimeWrapper } from './runtime-wrapper.ts';

/** Outside every $WHERRY_HOME: the engine is the whole machine's, and needs this for as long as a container lives. */
const WRAPPER = '/var/lib/wherry/runtime';
export const runtimeName = 'wherry';

const START_MS_MAX = 60_000;
const STOP_MS_MAX = 20_000;
const POLL_MS = 50;

const folderOf = (context: Context): string => join(context.home, engineFolderName);
const recordPath = (context: Context): string => join(folderOf(context), 'dockerd.json');
const logPath = (context: Context): string => join(folderOf(context), 'dockerd.log');

/**
 * Starts `dockerd` for the whole machine, in a session of its own, and waits until it answers. Where systemd runs, it
 * is systemd's to start. Containers outlive it (live-restore).
 * @throws Failure with the end of its log
 */
export async function startEngine(context: Context, facts: HostFacts): Promise<void> {
  await writeFile('/proc/sys/net/ipv4/ip_forward', '1');
  if (facts.hasSystemd) {
    await runProgram('systemctl', ['start', 'docker'], context);
    await waitForEngine(context, undefined);
    return;
  }
  await mountCgroups(context);
  await mkdir(folderOf(context), { recursive: true, mode: 0o700 });
  const identity = await spawnDockerd(context, facts);
  await writeWhole(recordPath(context), `${JSON.stringify(identity)}\n`, 0o600);
  await waitForEngine(context, identity);
}

/** @returns false when the engine that runs, if any, was not started by us */
export async function stopEngine(context: Context): Promise<boolean> {
  const identity = readStarted(context);
  if (identity === undefined) return false;
  const deadlineMs = context.clock.monotonicMs() + STOP_MS_MAX;
  signalProcess(identity, 'SIGTERM');
  while (stateOf(identity) !== 'gone') {
    if (context.clock.monotonicMs() > deadlineMs)
      throw new Failure(
        `Cannot stop the Docker engine: process ${identity.pid} did not end within ${STOP_MS_MAX / 1000} s`,
      );
    await context.clock.sleep(POLL_MS);
  }
  await rm(recordPath(context), { force: true });
  return true;
}

/** The engine that we started, while it lives. */
export function readStarted(context: Context): ProcessIdentity | undefined {
  try {
    const identity: ProcessIdentity = JSON.parse(readFileSync(recordPath(context), 'utf8'));
    return stateOf(identity) === 'gone' ? undefined : identity;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

async function spawnDockerd(context: Context, facts: HostFacts): Promise<ProcessIdentity> {
  const dockerd = findProgram('dockerd', context.environment['PATH']);
  if (dockerd === undefined) throw new Failure('Cannot start the Docker engine: dockerd is not installed');
  const args = [`--host=${usualDockerHost}`, '--live-restore', ...(await runtimeFlags(facts))];
  const log = await open(logPath(context), 'w', 0o600);
  try {
    const child = spawn(dockerd, args, {
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
      cwd: '/',
      env: { ...context.environment, PATH: `${context.environment['PATH'] ?? ''}:/usr/sbin:/sbin` },
    });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', reject);
    });
    child.unref();
    const identity = child.pid === undefined ? undefined : identify(child.pid);
    if (identity === undefined) throw new Failure(`Cannot start the Docker engine: ${await lastLogLine(context)}`);
    return identity;
  } finally {
    await log.close();
  }
}

/** What `dockerd` must be told where this machine cannot grant everything, once the runtime is in its place. */
export async function runtimeFlags({ missingCapabilities }: HostFacts): Promise<readonly string[]> {
  if (missingCapabilities.length === 0) return [];
  await writeWhole(WRAPPER, runtimeWrapper(missingCapabilities), 0o755);
  return [`--add-runtime=${runtimeName}=${WRAPPER}`, `--default-runtime=${runtimeName}`];
}

async function waitForEngine(context: Context, identity: ProcessIdentity | undefined): Promise<void> {
  const deadlineMs = context.clock.monotonicMs() + START_MS_MAX;
  while ((await engineVersion(usualDockerHost)) === undefined) {
    if (identity !== undefined && stateOf(identity) === 'gone') {
      throw new Failure(`Cannot start the Docker engine: ${await lastLogLine(context)} (see ${logPath(context)})`);
    }
    if (context.clock.monotonicMs() > deadlineMs)
      throw new Failure(`Cannot start the Docker engine: no answer within ${START_MS_MAX / 1000} s`);
    await context.clock.sleep(POLL_MS, context.signal);
  }
}

async function lastLogLine(context: Context): Promise<string> {
  const lines = (await readFile(logPath(context), 'utf8')).trim().split('\n');
  return lines.at(-1) ?? 'it ended without a word';
}

const CGROUP = '/sys/fs/cgroup';
const legacyControllers = ['cpu', 'cpuacct', 'cpuset', 'memory', 'devices', 'freezer', 'blkio', 'pids'];

/** Containers need cgroups; bare sandboxes and chroots often have none mounted. */
async function mountCgroups(context: Context): Promise<void> {
  const mounts = await readFile('/proc/self/mounts', 'utf8');
  if (mounts.split('\n').some((line) => line.split(' ')[1]?.startsWith(CGROUP))) return;
  if (!existsSync(CGROUP)) throw new Failure(`Cannot start the Docker engine: this kernel has no ${CGROUP}`);
  if (!(await hasLegacyControllers())) {
    await runProgram('mount', ['-t', 'cgroup2', 'cgroup2', CGROUP], context);
    return;
  }
  await runProgram('mount', ['-t', 'tmpfs', '-o', 'mode=755', 'tmpfs', CGROUP], context);
  for (const name of legacyControllers) {
    await mkdir(join(CGROUP, name), { recursive: true });
    await runProgram('mount', ['-t', 'cgroup', '-o', name, 'cgroup', join(CGROUP, name)], context);
  }
}

/** Whether the kernel offers the memory controller through cgroup v1 and has it in use there. */
async function hasLegacyControllers(): Promise<boolean> {
  const memory = /^memory\t(\d+)\t/m.exec(await readFile('/proc/cgroups', 'utf8'));
  return memory !== null && memory[1] !== '0';
}
