import { resources } from '@wherry/api';
import type { ApiClient } from '@wherry/client';
import Docker from 'dockerode';
import { bareContainers } from './bare.ts';
import { inTurns, type Row } from './figures.ts';
import { loadSleeper, sleeper } from './images.ts';
import { benchCluster, soon, timedStart, withCluster } from './session.ts';
import type { Swarm } from './swarm.ts';
import { createAndWatch, deleteAndWatch } from './workload.ts';

const REPEATS = 5;
const MANY = 30;

/** The engine of our nodes. */
const engine = new Docker();

/** Row 1: folders empty, engine up, to the first pod that runs; Swarm likewise, from `init`. */
export async function coldStart(swarm: Swarm): Promise<readonly Row[]> {
  await loadSleeper(engine);
  const ours = (): Promise<number> =>
    timedStart(benchCluster('cold'), ['--nodes', '1', '--runtime', 'docker'], async (client) => {
      const pod = {
        metadata: { name: 'first', namespace: 'default' },
        spec: { containers: [{ name: 'main', ...sleeper, imagePullPolicy: 'Never' }] },
      };
      await soon(() => client.create(resources.pods, pod));
      await podRuns(client, 'first');
    });
  const theirs = async (): Promise<number> => {
    const startMs = performance.now();
    await swarm.init();
    await swarm.create({ name: 'first', replicas: 1, ...sleeper });
    const tookMs = performance.now() - startMs;
    await swarm.remove('first');
    await swarm.leave();
    return tookMs;
  };
  const series = await inTurns(REPEATS, 'empty → first pod Running, ms', ours, theirs);
  const peer = { name: 'Swarm', series: series.theirs };
  return [{ number: '1', what: 'empty → first pod Running', unit: 'ms', ours: series.ours, peer, goal: '≤ 0.75 ×' }];
}

/** Rows 3, 4 and 5: Deployments of one and of thirty, up and down, beside Swarm and beside containers without anybody. */
export async function deployments(swarm: Swarm): Promise<readonly Row[]> {
  await swarm.init();
  await loadSleeper(engine);
  try {
    return await withCluster(benchCluster('rows', { flags: ['--runtime', 'docker'] }), async ({ client }) => {
      const gone = { ours: [] as number[], theirs: [] as number[] };
      const both = async (replicas: number) => {
        const name = `sleep-${replicas}`;
        const service = { name, replicas, ...sleeper };
        const ours = async (): Promise<number> => {
          const tookMs = await createAndWatch(client, service);
          const goneMs = await deleteAndWatch(client, name);
          if (replicas === MANY) gone.ours.push(goneMs);
          return tookMs;
        };
        const theirs = async (): Promise<number> => {
          const tookMs = await swarm.create(service);
          const goneMs = await swarm.remove(name);
          if (replicas === MANY) gone.theirs.push(goneMs);
          return tookMs;
        };
        return inTurns(REPEATS, `Deployment of ${replicas}, ms`, ours, theirs);
      };
      const one = await both(1);
      const many = await both(MANY);
      const bare = await inTurns(
        REPEATS,
        'bare containers 1 and 30, ms',
        () => bareContainers(swarm.docker, 1),
        () => bareContainers(swarm.docker, MANY),
      );
      return [
        {
          number: '3',
          what: 'Deployment of 1 → Running',
          unit: 'ms',
          ours: one.ours,
          peer: { name: 'Swarm', series: one.theirs },
          goal: '≤ 0.5 ×',
        },
        {
          number: '3',
          what: 'the same',
          unit: 'ms',
          ours: one.ours,
          peer: { name: 'bare', series: bare.ours },
          goal: '≤ 40 ms more',
        },
        {
          number: '4',
          what: `Deployment of ${MANY} → all Running`,
          unit: 'ms',
          ours: many.ours,
          peer: { name: 'Swarm', series: many.theirs },
          goal: '≤ 0.8 ×',
        },
        {
          number: '4',
          what: 'the same',
          unit: 'ms',
          ours: many.ours,
          peer: { name: 'bare', series: bare.theirs },
          goal: '',
        },
        {
          number: '5',
          what: `Deployment of ${MANY} deleted → all gone`,
          unit: 'ms',
          ours: gone.ours,
          peer: { name: 'Swarm', series: gone.theirs },
          goal: '≤ 0.4 ×',
        },
      ];
    });
  } finally {
    await swarm.leave();
  }
}

async function podRuns(client: ApiClient, name: string): Promise<void> {
  const selection = { namespace: 'default', fieldSelector: `metadata.name=${name}` };
  for await (const { object } of client.watch(resources.pods, selection)) {
    if (object.status?.phase === 'Running') return;
  }
  throw new Error('The watch ended');
}
