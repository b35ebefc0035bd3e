import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Cluster } from '../harness/cluster.ts';
import { ensureProgram } from '../harness/debian.ts';
import { eventually } from '../harness/eventually.ts';
import { succeed } from '../harness/run.ts';

/** `wherry store …` on a cluster as `wherry up` makes it. */
const cluster = new Cluster({
  name: 'store-command',
  nodes: 0,
  port: 36_507,
  flags: ['--runtime', 'hollow', '--stores', '3'],
});
beforeAll(() => cluster.up());
afterAll(async () => {
  await cluster.down();
  rmSync(cluster.home, { recursive: true });
});

const named = ['--name', 'store-command'];
const store = (...args: readonly string[]) => cluster.wherryOk(['store', ...args, ...named]);

interface Member {
  readonly member: string;
  readonly leader: boolean;
  readonly revision: number;
}

async function leader(): Promise<string | undefined> {
  const { members } = JSON.parse(await store('status', '-o', 'json')) as { members: readonly Member[] };
  return members.find((member) => member.leader)?.member;
}

test('env lets etcdctl in', async () => {
  await ensureProgram('etcdctl', 'etcd-client');
  const exports = await store('env');
  const script = `${exports}\netcdctl get /registry/namespaces/ --prefix --keys-only && etcdctl endpoint health`;
  expect(await succeed('sh', ['-c', script])).toContain('/registry/namespaces/default');
});

test('members are listed and leadership moves', async () => {
  expect((await store('member', 'list')).split('\n').filter((line) => / started +voter /.test(line))).toHaveLength(3);
  const target = (await leader()) === 'store-1' ? 'store-2' : 'store-1';
  expect(await store('move-leader', target)).toBe(`${target} leads the store\n`);
  expect(await leader()).toBe(target);
  const wrong = await cluster.wherry(['store', 'move-leader', 'nobody', ...named]);
  expect(wrong.code).toBe(1);
  expect(wrong.stderr).toContain('There is no member "nobody": there are store-');
});

test('a backup brings a cluster back, at higher revisions', async () => {
  const file = join(cluster.home, 'backup.db');
  await cluster.wherryOk(['create', 'configmap', 'before', '--from-literal=a=b']);
  await store('snapshot', 'save', file);
  await cluster.wherryOk(['create', 'configmap', 'after', '--from-literal=a=b']);
  const running = await cluster.wherry(['store', 'snapshot', 'restore', file, ...named]);
  expect(running.stderr).toContain('Cannot restore the store of cluster "store-command" while it runs');
  await cluster.wherryOk(['down']);
  expect(await store('snapshot', 'restore', file)).toMatch(/goes on at revision 1000000\d{3}\n/);
  await cluster.wherryOk(['up']);
  const names = await eventually('the cluster serves', () => cluster.wherryOk(['get', 'configmaps', '-o', 'name']));
  expect(names.split('\n')).toContain('configmap/before');
  expect(names).not.toContain('after');
  await cluster.wherryOk(['create', 'configmap', 'again', '--from-literal=a=b']);
  const path = '{.metadata.resourceVersion}';
  expect(Number(await cluster.wherryOk(['get', 'configmap', 'again', '-o', `jsonpath=${path}`]))).toBeGreaterThan(1e9);
});
