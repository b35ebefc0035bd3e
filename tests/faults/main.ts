// The long run by hand: everything once, one after another, and then at random.
//   npm run faults -- [--seed N] [--minutes 10] [--only store-leader,proxy] [--profile fast|upstream] [--skip-sequence]
import { parseArgs } from 'node:util';
import { Experiment } from './experiment.ts';
import { describeFault, type FaultTarget, faultTargets } from './plan/fault.ts';
import { randomPlan, sequentialPlan } from './plan/plan.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    minutes: { type: 'string', default: '10' },
    only: { type: 'string', default: faultTargets.join(',') },
    profile: { type: 'string', default: 'fast' },
    'skip-sequence': { type: 'boolean', default: false },
  },
});

const startMs = Date.now();
const say = (text: string): void => {
  process.stdout.write(`${((Date.now() - startMs) / 1000).toFixed(1).padStart(6)} ${text}\n`);
};

const named = values.only.split(',');
const targets = named.filter((name): name is FaultTarget => faultTargets.some((target) => target === name));
if (targets.length < named.length) throw new Error(`--only takes ${faultTargets.join(', ')}`);
if (values.profile !== 'fast' && values.profile !== 'upstream') throw new Error('--profile takes fast or upstream');
const seed = Number(values.seed ?? Date.now() % 1_000_000);
const durationMs = Number(values.minutes) * 60_000;
/** Longer than both profiles' leases. */
const pauseMs = 20_000;

const sequence = values['skip-sequence'] ? [] : sequentialPlan({ targets, killMs: 2_000, pauseMs });
const atRandom = randomPlan({ seed, durationMs, pauseMs, targets });
say(`seed ${seed}, profile ${values.profile}, ${atRandom.length} faults in ${values.minutes} minutes:`);
for (const fault of atRandom) process.stdout.write(`       ${describeFault(fault)}\n`);

const experiment = new Experiment({ profile: values.profile, log: say });
process.exitCode = 1;
try {
  await experiment.setUp();
  const problems: string[] = [];
  try {
    await experiment.runOneByOne(sequence);
    const convergedMs = await experiment.runOnTime(atRandom);
    say(`converged ${convergedMs} ms after the last fault`);
  } catch (error) {
    problems.push(error instanceof Error ? error.message : String(error));
  }
  problems.push(...(await experiment.verdict()));
  say(`seed ${seed}: ${problems.length} problems\n${[...problems, experiment.summary()].join('\n')}`);
  process.exitCode = problems.length === 0 ? 0 : 1;
} finally {
  await experiment.tearDown();
}
