import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { resources } from '@wherry/api';
import { repository } from '../../harness/repository.ts';
import { StoreProcesses } from '../../harness/store-processes.ts';
import { etcdFirstWrite } from './etcd.ts';
import { inTurns, type Row } from './figures.ts';
import { cpuSeconds, daemonPids, memoryOf } from './processes.ts';
import { benchCluster, soon, timedStart, withCluster } from './session.ts';

const REPEATS = 5;
/** What a start leaves behind is collected, and clients' idle connections are closed, by then. */
const SETTLE_MS = 70_000;
const IDLE_MS = 60_000;

const controlPlane = ['store', 'apiserver', 'scheduler', 'controller-manager'];
const threeOfEach = ['--stores', '3', '--apiservers', '3', '--schedulers', '3', '--controller-managers', '3'];

/** Row 17c: empty folder to the first thing that a controller makes. */
export async function emptyToServiceAccount(): Promise<readonly Row[]> {
  const series = await inTurns(REPEATS, 'empty → default ServiceAccount, ms', () =>
    timedStart(benchCluster('start'), ['--nodes', '0'], (client) =>
      soon(() => client.get(resources.serviceaccounts, 'default', { namespace: 'default' })),
    ),
  );
  const what = 'control plane from empty → default ServiceAccount (official: 8,000)';
  return [{ number: '17c', what, unit: 'ms', ours: series.ours, goal: '≤ 1,500' }];
}

/** Row 2: three members, both sides from empty folders and started at once. */
export async function storesFirstWrite(): Promise<readonly Row[]> {
  const program = ['sh', join(repository, 'wherry'), 'daemon', 'exec', 'store'];
  const ours = async (): Promise<number> => {
    const stores = await StoreProcesses.make(3, [], program);
    try {
      const startMs = performance.now();
      stores.startAll();
      const client = await stores.client();
      await soon(() => client.put({ key: 'key', value: Buffer.from('value') }));
      return performance.now() - startMs;
    } finally {
      await stores.close();
    }
  };
  // The first run compiles the program.
  await ours();
  const series = await inTurns(REPEATS, '3 stores → first write, ms', ours, etcdFirstWrite);
  const peer = { name: 'etcd', series: series.theirs };
  return [
    { number: '2', what: '3 stores from empty → first write', unit: 'ms', ours: series.ours, peer, goal: '≤ 0.35 ×' },
  ];
}

/** Rows 18 and 24, for one and for three of each, and for a node with nothing on it. */
export async function idle(): Promise<readonly Row[]> {
  const rows: Row[] = [];
  const one = await idleFigures('idle', ['--nodes', '0'], controlPlane);
  rows.push(
    {
      number: '18',
      what: 'idle memory of one of each, PSS (official four: 479)',
      unit: 'MB',
      ours: [one.pssMb],
      goal: '≤ 260',
    },
    { number: '18', what: 'the same as RSS, Node.js counted four times', unit: 'MB', ours: [one.rssMb], goal: '' },
    {
      number: '24',
      what: 'idle CPU of one of each (official four: 2.8)',
      unit: '%',
      ours: one.cpuPercent,
      goal: '≤ 1.5',
    },
  );
  const three = await idleFigures('idle', ['--nodes', '0', ...threeOfEach], [...controlPlane, 'balancer']);
  rows.push({
    number: '24',
    what: 'idle CPU of three of each, balancer',
    unit: '%',
    ours: three.cpuPercent,
    goal: '≤ 4',
  });
  const node = await idleFigures('idle', ['--nodes', '1', '--runtime', 'docker'], ['kubelet', 'proxy']);
  rows.push(
    {
      number: '18',
      what: 'idle memory of a node (kubelet, proxy), PSS',
      unit: 'MB',
      ours: [node.pssMb],
      goal: '≤ 110',
    },
    { number: '18', what: 'the same as RSS', unit: 'MB', ours: [node.rssMb], goal: '' },
  );
  return rows;
}

interface IdleFigures {
  readonly rssMb: number;
  readonly pssMb: number;
  readonly cpuPercent: readonly number[];
}

function idleFigures(name: string, flags: readonly string[], kinds: readonly string[]): Promise<IdleFigures> {
  return withCluster(benchCluster(name, { nodes: Number(flags[1]), flags: flags.slice(2) }), async ({ cluster }) => {
    await sleep(SETTLE_MS);
    const pids = daemonPids(cluster, kinds);
    const cpuPercent: number[] = [];
    for (let minute = 0; minute < 3; minute++) {
      const before = cpuSeconds(pids);
      await sleep(IDLE_MS);
      cpuPercent.push(((cpuSeconds(pids) - before) / (IDLE_MS / 1000)) * 100);
    }
    process.stderr.write(`  ${name}: ${pids.length} processes\n`);
    return { ...memoryOf(pids), cpuPercent };
  });
}
