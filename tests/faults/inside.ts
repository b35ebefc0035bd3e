// Runs a script under Node in the place of its own (place.ts), and removes the place afterwards:
//   node tests/faults/inside.ts <script> [arguments…]
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { endEverythingOf, removeControlGroup, unmountBelow } from '../harness/leftover-processes.ts';
import { officialKubectl } from '../harness/official-kubectl.ts';
import { repository } from '../harness/repository.ts';
import { run, succeed } from '../harness/run.ts';

import { clusterHome, engineFolder, engineSocket, INSIDE, place } from './place.ts';

async function removePlace(): Promise<void> {
  await endEverythingOf(place);
  for (const folder of [engineFolder, clusterHome]) await unmountBelow(folder);
  const present = (await succeed('ip', ['netns', 'list'])).split('\n').map((line) => line.split(' ')[0]);
  if (present.includes(place.namespace)) await succeed('ip', ['netns', 'del', place.namespace]);
  removeControlGroup(place.controlGroup);
  rmSync(engineFolder, { recursive: true, force: true });
}

async function makePlace(): Promise<void> {
  // Brings what the machine lacks (Docker, control groups, kubectl); its own engine is not used.
  await succeed('sh', [join(repository, 'wherry'), 'engine', 'start'], { timeoutMs: 300_000 });
  await officialKubectl();
  await removePlace();
  await succeed('ip', ['netns', 'add', place.namespace]);
  await succeed('ip', ['-n', place.namespace, 'link', 'set', 'lo', 'up']);
  await succeed('nsenter', [...enter, 'sh', '-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward']);
}

const enter = [`--net=/run/netns/${place.namespace}`, '--'];

/** @returns the script's exit code */
async function runInside(script: readonly string[]): Promise<number> {
  const child = spawn('nsenter', [...enter, process.execPath, ...script], {
    stdio: 'inherit',
    cwd: repository,
    env: { ...process.env, [INSIDE]: 'true', DOCKER_HOST: `unix://${engineSocket}` },
  });
  // The script takes down what it made; a second signal ends it and what is left is removed below.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
  const [code] = (await once(child, 'exit')) as [number | null];
  return code ?? 1;
}

if ((await run('sh', ['-c', 'test "$(id -u)" = 0'])).code !== 0)
  throw new Error('Only root may make a network namespace: run the fault tests as root');
await makePlace();
try {
  process.exitCode = await runInside(process.argv.slice(2));
} finally {
  await removePlace();
}
