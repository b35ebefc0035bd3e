import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Cluster } from '../../harness/cluster.ts';

/** Processes of a cluster by the names of its daemons. */
export function daemonPids(cluster: Cluster, kinds: readonly string[]): readonly number[] {
  const folder = join(cluster.home, cluster.name, 'run');
  return readdirSync(folder)
    .filter((file) => kinds.some((kind) => file === `${kind}.json` || file.startsWith(`${kind}-`)))
    .map((file) => {
      const record: { readonly process: { readonly pid: number } } = JSON.parse(
        readFileSync(join(folder, file), 'utf8'),
      );
      return record.process.pid;
    });
}

export interface Memory {
  /** As `ps` shows it: the pages of Node.js itself count in each process. */
  readonly rssMb: number;
  /** Shared pages divided among those who share them: what all the processes take together. */
  readonly pssMb: number;
}

export function memoryOf(pids: readonly number[]): Memory {
  let rssKb = 0;
  let pssKb = 0;
  for (const pid of pids) {
    const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
    rssKb += Number(/^Rss:\s+(\d+)/m.exec(text)?.[1]);
    pssKb += Number(/^Pss:\s+(\d+)/m.exec(text)?.[1]);
  }
  return { rssMb: rssKb / 1024, pssMb: pssKb / 1024 };
}

/** CPU time of all threads in seconds, to the nanosecond: an idle daemon uses less than a tick a second. */
export function cpuSeconds(pids: readonly number[]): number {
  let nanoseconds = 0;
  for (const pid of pids) {
    for (const thread of readdirSync(`/proc/${pid}/task`))
      nanoseconds += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]);
  }
  return nanoseconds / 1e9;
}
