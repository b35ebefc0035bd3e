import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { run } from '../../harness/run.ts';

const MEMBERS = 3;
const PORT = 24_790;

/** Row 2's peer: three members of etcd from empty folders. @returns milliseconds until the first write was acknowledged */
export async function etcdFirstWrite(): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'wherry-bench-etcd-'));
  const client = (member: number): string => `http://127.0.0.1:${PORT + 2 * member}`;
  const peer = (member: number): string => `http://127.0.0.1:${PORT + 2 * member + 1}`;
  const members = [...Array(MEMBERS).keys()];
  const startMs = performance.now();
  const children: ChildProcess[] = members.map((member) =>
    spawn(
      'etcd',
      [
        `--name=m${member}`,
        `--data-dir=${join(folder, String(member))}`,
        `--listen-client-urls=${client(member)}`,
        `--advertise-client-urls=${client(member)}`,
        `--listen-peer-urls=${peer(member)}`,
        `--initial-advertise-peer-urls=${peer(member)}`,
        `--initial-cluster=${members.map((one) => `m${one}=${peer(one)}`).join(',')}`,
        '--log-level=error',
      ],
      { stdio: 'ignore' },
    ),
  );
  try {
    for (;;) {
      const put = await run('etcdctl', ['--endpoints', client(0), '--command-timeout=3s', 'put', 'key', 'value'], {
        environment: { ETCDCTL_API: '3' },
      });
      if (put.code === 0) return performance.now() - startMs;
      await sleep(10);
    }
  } finally {
    for (const child of children) child.kill('SIGKILL');
    await Promise.all(children.map((child) => child.exitCode ?? child.signalCode ?? once(child, 'exit')));
    await rm(folder, { recursive: true });
  }
}
