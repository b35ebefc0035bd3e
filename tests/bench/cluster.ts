import { emptyToServiceAccount, idle, storesFirstWrite } from './cluster/control-plane.ts';
import { printRows, type Row } from './cluster/figures.ts';
import { loadSleeper } from './cluster/images.ts';
import { rollingUpdate } from './cluster/rolling-update.ts';
import { coldStart, deployments } from './cluster/starts.ts';
import { removeSwarm, Swarm } from './cluster/swarm.ts';
import { workerLoss } from './cluster/worker-loss.ts';

interface Part {
  readonly rows: readonly string[];
  readonly needsSwarm: boolean;
  measure(swarm: Swarm): Promise<readonly Row[]>;
}

const parts: readonly Part[] = [
  { rows: ['2'], needsSwarm: false, measure: storesFirstWrite },
  { rows: ['17c'], needsSwarm: false, measure: emptyToServiceAccount },
  { rows: ['1'], needsSwarm: true, measure: coldStart },
  { rows: ['3', '4', '5'], needsSwarm: true, measure: deployments },
  { rows: ['22'], needsSwarm: true, measure: rollingUpdate },
  { rows: ['23'], needsSwarm: false, measure: workerLoss },
  { rows: ['18', '24'], needsSwarm: false, measure: idle },
];

/**
 * Rows 1–5, 17c, 18 and 22–24 of the scoreboard, on real processes and containers: `npm run bench -- cluster`, or with
 * some rows, `npm run bench -- cluster 3 22`. Peers that can be had run beside, in turns; figures of others are quoted.
 */
export async function run(wanted: readonly string[]): Promise<void> {
  const chosen = parts.filter(({ rows }) => wanted.length === 0 || rows.some((row) => wanted.includes(row)));
  const measured: Row[] = [];
  try {
    for (const { rows, needsSwarm, measure } of chosen) {
      process.stderr.write(`row ${rows.join(', ')}\n`);
      const swarm = new Swarm();
      if (needsSwarm) {
        await swarm.start();
        await loadSleeper(swarm.docker);
      }
      measured.push(...(await measure(swarm)));
    }
  } finally {
    await removeSwarm();
    printRows(measured);
  }
}
