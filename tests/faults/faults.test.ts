import { Resolver } from 'node:dns/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { type PodList, resources } from '@wherry/api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { holds } from '../harness/eventually.ts';
import { Experiment } from './experiment.ts';
import { namespace } from './load/workload.ts';
import { faultTargets } from './plan/fault.ts';
import { sequentialPlan } from './plan/plan.ts';
import { GRACE_MS, stopAndResume } from './stopping.ts';

/** A little longer than the fast profile's leases: who is paused for longer is not more replaced than so. */
const PAUSE_MS = 7_000;
const KILL_MS = 1_000;
/** Of a daemon that was stopped: long enough for requests to meet its absence. */
const AWAY_MS = 1_000;

const experiment = new Experiment({ profile: 'fast', log: (text) => process.stdout.write(`faults: ${text}\n`) });

/** Which pods run where, in which containers: nothing of it changes when only the control plane is hurt. */
async function placement(): Promise<Readonly<Record<string, string>>> {
  const { items } = await experiment.cluster.get<PodList>(['pods', '-n', namespace]);
  return Object.fromEntries(
    items.map(({ metadata, spec, status }) => {
      const containers = (status?.containerStatuses ?? []).map(({ containerID }) => containerID);
      return [`${metadata?.name} ${metadata?.uid}`, `${spec?.nodeName} ${containers.join()}`];
    }),
  );
}

describe('a cluster in use: three stores, two of each server, three nodes with real containers', () => {
  beforeAll(() => experiment.setUp());
  afterAll(() => experiment.tearDown());

  it.each(
    sequentialPlan({ targets: faultTargets, killMs: KILL_MS, pauseMs: PAUSE_MS }),
  )('gets over it: $action $target', async (fault) => {
    const { victim, convergedMs } = await experiment.runOne(fault);
    expect(victim).toBeDefined();
    expect(convergedMs).toBeLessThan(60_000);
  });

  it('without a quorum writes and reads fail and say why, and everything else goes on', async () => {
    const { daemons, supervisor, admin } = experiment;
    const before = await placement();
    const [leader] = await daemons.leaders('store');
    const others = daemons.all().filter(({ kind, name }) => kind === 'store' && name !== leader?.name);
    const dead = [leader, others[0]].flatMap((daemon) => (daemon === undefined ? [] : [daemon]));
    expect(dead).toHaveLength(2);
    const lostBefore = experiment.requests.lost.length;
    const answeredBefore = experiment.requests.answered;
    for (const { name, pid } of dead) {
      supervisor.hold(name);
      process.kill(pid, 'SIGKILL');
    }
    try {
      const name = 'without-quorum';
      const refusal = /no leader|no endpoint is reachable|request timed out|did not complete within|leader changed/;
      await expect(admin.create(resources.configmaps, { metadata: { name } }, { namespace })).rejects.toThrow(refusal);
      await expect(admin.list(resources.nodes)).rejects.toThrow(refusal);
      await holds(() => expect(experiment.requests.lost.length).toBe(lostBefore), 5_000);
      expect(experiment.requests.answered).toBeGreaterThan(answeredBefore + 100);
    } finally {
      for (const daemon of dead) supervisor.release(daemon.name);
    }
    await experiment.convergence(Date.now());
    // Nobody could write that a pod should be elsewhere, and afterwards nobody found a reason to.
    expect(await placement()).toEqual(before);
  });

  it.each([
    'store-1',
    'apiserver-1',
    'balancer',
    'scheduler-1',
    'controller-manager-1',
    'dns',
    'kubelet-node-1',
    'proxy-node-1',
  ])('SIGTERM ends %s in time, with exit code 0 and last words; it resumes where it was', async (name) => {
    const before = await placement();
    const lostBefore = experiment.requests.lost.length;
    const { exitCode, tookMs, said } = await stopAndResume(experiment, name, () => sleep(AWAY_MS));
    expect(exitCode).toBe(0);
    expect(tookMs).toBeLessThan(GRACE_MS);
    expect(said.find(({ msg }) => msg === 'stopping')).toMatchObject({ reason: 'SIGTERM', code: 0 });
    expect(said.at(-1)).toMatchObject({ msg: 'stopped', code: 0 });
    await experiment.convergence(Date.now());
    const after = await placement();
    // A kubelet restarts no container. On a slow machine it may be away for longer than the fast profile's four seconds
    // of patience; then pods are evicted, but never those of a DaemonSet.
    const kept = Object.keys(before).filter((pod) => Object.hasOwn(after, pod));
    expect(kept.filter((pod) => pod.startsWith('client-'))).toHaveLength(3);
    for (const pod of kept) expect(after[pod]).toBe(before[pod]);
    if (!name.startsWith('kubelet')) expect(after).toEqual(before);
    // A proxy's rules stay in the kernel.
    expect(experiment.requests.lost.length).toBe(lostBefore);
    if (name === 'dns') expect(await addressOfService()).toEqual([experiment.serviceAddress]);
  });

  it('has lost no acknowledged write and no request, and nothing ran twice', async () => {
    const problems = await experiment.verdict();
    process.stdout.write(`${experiment.summary()}\n`);
    expect(problems).toEqual([]);
    expect(experiment.requests.answered).toBeGreaterThan(1_000);
    expect(experiment.writer.acknowledged).toBeGreaterThan(1_000);
  });
});

function addressOfService(): Promise<readonly string[]> {
  const resolver = new Resolver();
  resolver.setServers([...experiment.daemons.named('dns').addresses]);
  return resolver.resolve4(`web.${namespace}.svc.cluster.local`);
}
