import { existsSync, readdirSync, readFileSync, rmdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { hasCode } from './error-code.ts';
import { succeed } from './run.ts';

const CGROUP = '/sys/fs/cgroup';

/** Where a test's processes are, containers included: whatever an earlier run left is found by these two. */
export interface ProcessPlace {
  readonly name: string;
  /** Of `ip netns`. */
  readonly namespace: string;
  /** Parent of its containers' control groups; pods have network namespaces of their own. */
  readonly controlGroup: string;
}

/** Ends every process of a place at once, containers and engine included, as a power cut does. */
export async function endEverythingOf(place: ProcessPlace): Promise<void> {
  const sockets = await guardSocketsOf(place);
  const deadlineMs = Date.now() + 20_000;
  for (;;) {
    // A process may have started another meanwhile.
    const pids = processesOf(place);
    if (pids.length === 0) break;
    if (Date.now() > deadlineMs) throw new Error(`Processes of ${place.name} do not end: ${pids.join(', ')}`);
    for (const pid of pids) killed(pid);
    await sleep(50);
  }
  for (const path of sockets) rmSync(path, { force: true });
}

/** Of its containers' guardians, in a folder that all engines of this machine share; killed, they leave them there. */
async function guardSocketsOf({ namespace }: ProcessPlace): Promise<readonly string[]> {
  if (!existsSync(`/run/netns/${namespace}`)) return [];
  const table = await succeed('nsenter', [`--net=/run/netns/${namespace}`, '--', 'cat', '/proc/net/unix']);
  return [...new Set(table.match(/\/run\/containerd\/s\/[0-9a-f]+/g))];
}

/** All in the place's network namespace, and all in its control group; never this process itself. */
function processesOf({ namespace, controlGroup }: ProcessPlace): readonly number[] {
  const net = statSync(`/run/netns/${namespace}`, { throwIfNoEntry: false });
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => pid !== process.pid)
    .filter((pid) => {
      try {
        const inNamespace = net !== undefined && statSync(`/proc/${pid}/ns/net`).ino === net.ino;
        const isLiving = !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
        return isLiving && (inNamespace || readFileSync(`/proc/${pid}/cgroup`, 'utf8').includes(`${controlGroup}/`));
      } catch (error) {
        // It ended meanwhile, or has rights that we could not have given to it.
        if (['ENOENT', 'ESRCH', 'EACCES'].some((code) => hasCode(error, code))) return false;
        throw error;
      }
    });
}

function killed(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (!hasCode(error, 'ESRCH')) throw error;
  }
}

/** Unmounts whatever an engine or a kubelet left mounted below a folder. */
export async function unmountBelow(folder: string): Promise<void> {
  const mounted = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
    .filter((path) => path.startsWith(`${folder}/`));
  for (const path of mounted.reverse()) await succeed('umount', ['-l', path]);
}

/** In each hierarchy of version 1, or in the one of version 2; from the innermost outwards. */
export function removeControlGroup(group: string): void {
  for (const root of [CGROUP, ...readdirSync(CGROUP).map((name) => join(CGROUP, name))]) {
    const folder = join(root, group);
    if (!existsSync(folder)) continue;
    const inner = readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => join(entry.parentPath, entry.name))
      .sort((a, b) => b.length - a.length);
    for (const path of [...inner, folder]) rmdirSync(path);
  }
}
