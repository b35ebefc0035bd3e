import { existsSync, readdirSync, readFileSync, rmdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { hasCode } from '../harness/error-code.ts';
import { succeed } from '../harness/run.ts';
import { type HostPlace, places, removeLan } from './lan.ts';

const CGROUP = '/sys/fs/cgroup';
const groupOfAll = '/wherry-hosts';

/** Containers of a host are found by it, whatever became of their engine. */
export const controlGroup = ({ name }: HostPlace): string => `${groupOfAll}/${name}`;

/** Ends every process of a host at once, containers and engine included, as a power cut does. */
export async function cutPower(place: HostPlace): Promise<void> {
  const sockets = await socketsOf(place);
  await endProcesses(place);
  for (const path of sockets) rmSync(path, { force: true });
}

/** Of its containers' guardians, in a folder that all engines of this machine share; killed, they leave them there. */
async function socketsOf({ namespace }: HostPlace): Promise<readonly string[]> {
  if (!existsSync(`/run/netns/${namespace}`)) return [];
  const table = await succeed('nsenter', [`--net=/run/netns/${namespace}`, '--', 'cat', '/proc/net/unix']);
  return [...new Set(table.match(/\/run\/containerd\/s\/[0-9a-f]+/g))];
}

async function endProcesses(place: HostPlace): Promise<void> {
  const deadlineMs = Date.now() + 20_000;
  for (;;) {
    // A process may have started another meanwhile.
    const pids = processesOf(place);
    if (pids.length === 0) return;
    if (Date.now() > deadlineMs) throw new Error(`Processes of ${place.name} do not end: ${pids.join(', ')}`);
    for (const pid of pids) killed(pid);
    await sleep(50);
  }
}

/** Removes hosts, network, mounts and files, also those of an earlier run that was killed half-way. */
export async function removeEverything(folder: string): Promise<void> {
  for (const place of places) await cutPower(place);
  const mounted = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
    .filter((path) => path.startsWith(`${folder}/`));
  for (const path of mounted.reverse()) await succeed('umount', ['-l', path]);
  await removeLan();
  removeControlGroups();
  rmSync(folder, { recursive: true, force: true });
}

/** All in the host's network namespace, and all in its control group: pods have namespaces of their own. */
function processesOf(place: HostPlace): readonly number[] {
  const namespace = statSync(`/run/netns/${place.namespace}`, { throwIfNoEntry: false });
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const inNamespace = namespace !== undefined && statSync(`/proc/${pid}/ns/net`).ino === namespace.ino;
        const isLiving = !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
        return (
          isLiving && (inNamespace || readFileSync(`/proc/${pid}/cgroup`, 'utf8').includes(`${controlGroup(place)}/`))
        );
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

/** In each hierarchy of version 1, or in the one of version 2; from the innermost outwards. */
function removeControlGroups(): void {
  for (const root of [CGROUP, ...readdirSync(CGROUP).map((name) => join(CGROUP, name))]) {
    const folder = join(root, groupOfAll);
    if (!existsSync(folder)) continue;
    const inner = readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => join(entry.parentPath, entry.name))
      .sort((a, b) => b.length - a.length);
    for (const path of [...inner, folder]) rmdirSync(path);
  }
}
