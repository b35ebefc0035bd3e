import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { StoreClient } from '@wherry/store/client';
import { afterEach, describe, expect, it } from 'vitest';
import { Etcdctl } from '../harness/etcdctl.ts';
import { eventually } from '../harness/eventually.ts';
import { StoreProcesses } from '../harness/store-processes.ts';

let store: StoreProcesses | undefined;
afterEach(async () => {
  await store?.close();
  store = undefined;
});

interface Listed {
  readonly members: readonly { readonly ID: number; readonly name: string; readonly isLearner?: boolean }[];
}

/** Writes until it is stopped; what was acknowledged has to be there in the end. */
function write(client: StoreClient) {
  const acknowledged: string[] = [];
  let stopped = false;
  let longestGapMs = 0;
  let lastMs = performance.now();
  const done = (async () => {
    for (let i = 0; !stopped; i++) {
      try {
        await client.put({ key: `/w/${i}`, value: 'x' });
        acknowledged.push(`/w/${i}`);
        longestGapMs = Math.max(longestGapMs, performance.now() - lastMs);
        lastMs = performance.now();
      } catch {
        // A leader that goes leaves what is in flight uncertain.
        await sleep(5);
      }
    }
  })();
  const stop = async () => {
    stopped = true;
    await done;
    return longestGapMs;
  };
  return { acknowledged, stop };
}

/** Members of which the first three found the cluster and the others may join it. */
async function cluster(
  count: number,
): Promise<{ store: StoreProcesses; ctl: Etcdctl; initial: (n: number) => string }> {
  const made = await StoreProcesses.make(count);
  store = made;
  const initial = (n: number) =>
    `--initial-cluster=${made.members
      .slice(0, n)
      .map(({ name, peerUrl }) => `${name}=${peerUrl}`)
      .join()}`;
  for (const index of [0, 1, 2]) made.start(index, initial(3));
  await (await made.client()).put({ key: 'first', value: '' });
  return { store: made, ctl: await Etcdctl.of(made, 0, 1, 2), initial };
}

async function idOf(ctl: Etcdctl, name: string): Promise<string> {
  return eventually(`${name} is listed`, async () => {
    const { members } = await ctl.json<Listed>('member', 'list');
    const member = members.find((one) => one.name === name);
    if (member === undefined) throw new Error(`${name} is not among ${JSON.stringify(members)}`);
    return BigInt(member.ID).toString(16);
  });
}

describe('members', () => {
  it('are replaced through a learner while writes go on', async () => {
    const { store, ctl, initial } = await cluster(4);
    const client = await store.client();
    const writing = write(client);
    const peerUrl = store.members[3]?.peerUrl ?? '';
    await ctl.lines('member', 'add', 'store-4', '--learner', `--peer-urls=${peerUrl}`);
    expect(await ctl.failure('member', 'add', 'again', `--peer-urls=${peerUrl}`)).toContain('Peer URLs already exists');
    store.start(3, initial(4), '--initial-cluster-state=existing');
    const fourth = await idOf(ctl, 'store-4');
    await eventually('the learner is in step', () => ctl.lines('member', 'promote', fourth));
    expect(await ctl.failure('member', 'promote', fourth)).toContain('can only promote a learner member');
    const first = await idOf(ctl, 'store-1');
    await ctl.lines('member', 'remove', first);
    expect(await store.ended(0)).toBe(1);
    expect(store.output).toContain('permanently removed from the cluster');
    // The three that are left make a cluster that can lose one of them.
    await store.stop(1, 'SIGKILL');
    await eventually('writes go on', () => client.put({ key: 'last', value: '' }));
    const gapMs = await writing.stop();
    process.stdout.write(`members: longest gap between writes ${Math.round(gapMs)} ms\n`);
    const { kvs } = await client.range({ key: '/w/', rangeEnd: '/w0' });
    const present = new Set(kvs.map(({ key }) => key.toString()));
    expect(writing.acknowledged.filter((key) => !present.has(key))).toEqual([]);
    // With its old data it does not come back, and with none neither.
    store.output = '';
    store.start(0, initial(3));
    expect(await store.ended(0)).toBe(1);
    expect(store.output).toContain('permanently removed from the cluster');
  });

  it('remember who they are after all have been restarted', async () => {
    const { store, ctl, initial } = await cluster(4);
    // Only members that have started count, and each says so itself.
    await eventually('all have started', () =>
      ctl.lines('member', 'add', 'store-4', `--peer-urls=${store.members[3]?.peerUrl}`),
    );
    store.start(3, initial(4), '--initial-cluster-state=existing');
    await idOf(ctl, 'store-4');
    for (const index of [0, 1, 2, 3]) await store.stop(index, 'SIGKILL');
    await store.move(0, 1, 2, 3);
    for (const index of [0, 1, 2, 3]) store.start(index, initial(4));
    const client = await store.client();
    await client.put({ key: 'again', value: '' });
    const again = await Etcdctl.of(store);
    expect((await again.json<Listed>('member', 'list')).members.length).toBe(4);
  });

  it('may not go below what decides, and are asked for by those who were added', async () => {
    const { store, ctl } = await cluster(4);
    const third = await idOf(ctl, 'store-3');
    await store.stop(1, 'SIGKILL');
    const two = await Etcdctl.of(store, 0, 2);
    await eventually('it is noticed that one is away', async () => {
      expect(await two.failure('member', 'remove', third)).toMatch(/unhealthy cluster|not enough started/);
    });
    store.output = '';
    store.start(3, '--initial-cluster-state=existing');
    expect(await store.ended(3)).toBe(1);
    expect(store.output).toContain('add it first');
    await rm(join(store.folder, 'store-4'), { recursive: true });
  });

  it('hand leadership over on request', async () => {
    const { store, ctl } = await cluster(3);
    const status = await ctl.json<readonly { readonly Status: { readonly leader: number } }[]>('endpoint', 'status');
    const leader = status[0]?.Status.leader;
    const { members } = await ctl.json<Listed>('member', 'list');
    const target = members.find(({ ID }) => ID !== leader)?.ID ?? 0;
    await ctl.lines('move-leader', BigInt(target).toString(16));
    const after = await ctl.json<readonly { readonly Status: { readonly leader: number } }[]>('endpoint', 'status');
    expect(after.map(({ Status }) => Status.leader)).toEqual([target, target, target]);
    expect(store.members.length).toBe(3);
  });
});
