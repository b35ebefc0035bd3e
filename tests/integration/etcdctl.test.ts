import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Etcdctl } from '../harness/etcdctl.ts';
import { eventually } from '../harness/eventually.ts';
import { RealEtcd } from '../harness/real-etcd.ts';
import { repository } from '../harness/repository.ts';
import { succeed } from '../harness/run.ts';
import { StoreProcesses } from '../harness/store-processes.ts';

/** Debian's unmodified etcdctl against members of ours, and beside Debian's etcd. */

interface Kv {
  readonly key: string;
  readonly create_revision: number;
  readonly mod_revision: number;
  readonly version: number;
  readonly value?: string;
  readonly lease?: number;
}

interface Range {
  readonly header: { readonly revision: number };
  readonly kvs?: readonly Kv[];
  readonly count?: number;
  readonly more?: boolean;
}

interface EndpointStatus {
  readonly Endpoint: string;
  readonly Status: {
    readonly header: { readonly member_id: number; readonly revision: number };
    readonly leader: number;
  };
}

const fast = { timeoutMs: 20_000, everyMs: 50 };
const leaseOf = (line: string | undefined): string => /lease (\w+)/.exec(line ?? '')?.[1] ?? '';
const hashOf = (line: string | undefined): string => (line ?? '').split(', ')[1] ?? '';

/** Has the store's own program do something, as `wherry store …` does. */
async function operate<T>(order: object): Promise<T> {
  const program = join(repository, 'packages/store/src/main.ts');
  const result = JSON.parse(await succeed(process.execPath, [program, 'operate', JSON.stringify(order)]));
  if (result.error !== undefined) throw new Error(result.error);
  return result;
}

let folder: string;
const opened: (() => Promise<void>)[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wherry-etcdctl-'));
});
afterAll(async () => {
  for (const close of opened.splice(0).reverse()) await close();
  await rm(folder, { recursive: true });
});

async function members(count: number): Promise<{ store: StoreProcesses; ctl: Etcdctl }> {
  const store = await StoreProcesses.make(count);
  opened.push(() => store.close());
  store.startAll();
  const ctl = await Etcdctl.of(store);
  await eventually('the store serves', () => ctl.lines('endpoint', 'health'), fast);
  return { store, ctl };
}

/** A history with everything in it: several versions, deletions, a transaction, large values, a lease, a compaction. */
async function fill(ctl: Etcdctl): Promise<void> {
  for (let i = 0; i < 12; i++) await ctl.lines('put', `/h/${i % 7}`, `value ${i}`);
  await ctl.lines('put', '/h/large', 'x'.repeat(50_000));
  await ctl.run(['txn'], 'mod("/h/1") > "0"\n\nput /h/1 t\nput /h/2 t\ndel /h/3\n\n\n');
  const [granted] = await ctl.lines('lease', 'grant', '3000');
  await ctl.lines('put', '/h/leased', 'x', `--lease=${leaseOf(granted)}`);
  await ctl.lines('compaction', '8');
  await ctl.lines('del', '/h/4');
  await ctl.lines('put', '/h/5', 'last');
}

describe('etcdctl with one member', () => {
  let store: StoreProcesses;
  let ctl: Etcdctl;
  beforeAll(async () => {
    ({ store, ctl } = await members(1));
  });

  it('puts and gets with every flag', async () => {
    expect(await ctl.lines('put', '/g/a', '1')).toEqual(['OK']);
    expect(await ctl.lines('put', '/g/a', '2', '--prev-kv')).toEqual(['OK', '/g/a', '1']);
    await ctl.lines('put', '/g/c', '0');
    await ctl.lines('put', '/g/b', '3');
    expect(await ctl.lines('get', '/g/', '--prefix', '--print-value-only')).toEqual(['2', '3', '0']);
    expect(await ctl.lines('get', '/g/', '--prefix', '--keys-only', '--sort-by=VALUE', '--order=DESCEND')).toEqual([
      '/g/b',
      '',
      '/g/a',
      '',
      '/g/c',
    ]);
    expect(await ctl.lines('get', '/g/b', '--from-key', '--limit=1')).toEqual(['/g/b', '3']);
    expect(await ctl.lines('get', '/g/a', '/g/c', '--keys-only', '--consistency=s')).toEqual(['/g/a', '', '/g/b']);
    expect((await ctl.json<Range>('get', '/g/', '--prefix', '--limit=1')).more).toBe(true);
    const first = (await ctl.json<Range>('get', '/g/a')).kvs?.[0];
    expect(first).toMatchObject({ version: 2 });
    expect(await ctl.lines('get', '/g/a', `--rev=${first?.create_revision}`)).toEqual(['/g/a', '1']);
    expect(await ctl.lines('put', '/g/a', '--ignore-value', '--lease=0')).toEqual(['OK']);
    expect(await ctl.lines('del', '/g/', '--prefix', '--prev-kv')).toEqual([
      '3',
      '/g/a',
      '2',
      '/g/b',
      '3',
      '/g/c',
      '0',
    ]);
  });

  it('runs transactions', async () => {
    await ctl.lines('put', '/t/a', '1');
    const run = async (input: string) => (await ctl.run(['txn'], input)).stdout.trimEnd().split('\n');
    expect(await run('value("/t/a") = "1"\n\nput /t/a 2\nget /t/a\n\nput /t/a never\n\n')).toEqual([
      'SUCCESS',
      '',
      'OK',
      '',
      '/t/a',
      '2',
    ]);
    expect(await run('create("/t/b") > "0"\n\nput /t/b 1\n\ndel /t/a\n\n')).toEqual(['FAILURE', '', '1']);
  });

  it('watches: from a revision, by prefix, with what was before', async () => {
    const { header } = await ctl.json<Range>('get', '/w/');
    await ctl.lines('put', '/w/a', '1');
    const watch = ctl.start('watch', '/w/', '--prefix', '--prev-kv', `--rev=${header.revision + 1}`);
    await eventually('the past is told', () => expect(watch.output).toContain('/w/a\n1'), fast);
    await ctl.lines('put', '/w/a', '2');
    await ctl.lines('del', '/w/a');
    const wanted = 'PUT\n/w/a\n1\nPUT\n/w/a\n1\n/w/a\n2\nDELETE\n/w/a\n2\n/w/a\n\n';
    await eventually('the rest is told', () => expect(watch.output).toBe(wanted), fast);
    await watch.stop();
  });

  it('compacts, and says what is compacted or to come', async () => {
    await ctl.lines('put', '/c/a', '1');
    const { header } = await ctl.json<Range>('get', '/c/a');
    await ctl.lines('put', '/c/a', '2');
    expect(await ctl.lines('compaction', String(header.revision + 1), '--physical')).toEqual([
      `compacted revision ${header.revision + 1}`,
    ]);
    const compacted = 'Error: etcdserver: mvcc: required revision has been compacted';
    expect(await ctl.failure('get', '/c/a', `--rev=${header.revision}`)).toBe(compacted);
    expect(await ctl.failure('compaction', String(header.revision))).toBe(compacted);
    expect(await ctl.failure('compaction', '999999999')).toBe(
      'Error: etcdserver: mvcc: required revision is a future revision',
    );
    const watch = ctl.start('watch', '/c/a', `--rev=${header.revision}`);
    expect(await watch.ended()).not.toBe(0);
    expect(watch.output).toContain('mvcc: required revision has been compacted');
  });

  it('grants, keeps, lists and revokes leases', async () => {
    const id = leaseOf((await ctl.lines('lease', 'grant', '3'))[0]);
    await ctl.lines('put', '/l/a', 'x', `--lease=${id}`);
    expect((await ctl.lines('lease', 'list')).slice(1)).toContain(id);
    expect((await ctl.lines('lease', 'timetolive', id, '--keys'))[0]).toMatch(/granted with TTL\(3s\).*\[\/l\/a\]/);
    const keeping = ctl.start('lease', 'keep-alive', id);
    await new Promise((resolve) => setTimeout(resolve, 5000));
    expect(await ctl.lines('get', '/l/a')).toEqual(['/l/a', 'x']);
    await keeping.stop();
    await eventually('it ends by itself', async () => expect(await ctl.lines('get', '/l/a')).toEqual(['']), fast);
    expect((await ctl.lines('lease', 'timetolive', id))[0]).toContain('already expired');
    const second = leaseOf((await ctl.lines('lease', 'grant', '100'))[0]);
    await ctl.lines('put', '/l/b', 'x', `--lease=${second}`);
    expect(await ctl.lines('lease', 'revoke', second)).toEqual([`lease ${second} revoked`]);
    expect(await ctl.lines('get', '/l/b')).toEqual(['']);
    expect(await ctl.failure('lease', 'revoke', second)).toContain('etcdserver: requested lease not found');
    expect(await ctl.failure('put', '/l/c', 'x', `--lease=${second}`)).toContain('requested lease not found');
  });

  it('looks after the member', async () => {
    const [status] = await ctl.json<EndpointStatus[]>('endpoint', 'status');
    expect(status?.Status.leader).toBe(status?.Status.header.member_id);
    expect((await ctl.run(['endpoint', 'health'])).stderr).toContain('is healthy');
    expect(await ctl.lines('endpoint', 'hashkv')).toHaveLength(1);
    expect(await ctl.lines('alarm', 'list')).toEqual(['']);
    expect(await ctl.lines('alarm', 'disarm')).toEqual(['']);
    expect((await ctl.lines('defrag'))[0]).toContain('Finished defragmenting');
    expect((await ctl.lines('member', 'list'))[0]).toMatch(
      new RegExp(`, started, store-1, ${store.members[0]?.peerUrl}, ${store.members[0]?.clientUrl}, false$`),
    );
  });

  it('is told that there are no users', async () => {
    const notEnabled = 'Error: etcdserver: authentication is not enabled';
    expect(await ctl.failure('user', 'list')).toBe(notEnabled);
    expect(await ctl.failure('role', 'add', 'r')).toBe(notEnabled);
    expect(await ctl.failure('auth', 'enable')).toBe(notEnabled);
    expect(await ctl.lines('auth', 'disable')).toEqual(['Authentication Disabled']);
  });

  it('locks and elects', async () => {
    const holder = ctl.start('lock', 'mutex');
    await eventually('the lock is held', () => expect(holder.output).toMatch(/^mutex\/\w+\n/), fast);
    const second = ctl.start('lock', 'mutex', '--', 'echo', 'mine now');
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(second.output).toBe('');
    await holder.stop();
    expect(await second.ended()).toBe(0);
    expect(second.output).toContain('mine now');
    const leader = ctl.start('elect', 'office', 'alice');
    await eventually('somebody is elected', () => expect(leader.output).toContain('alice'), fast);
    const listener = ctl.start('elect', '--listen', 'office');
    await eventually('it is known', () => expect(listener.output).toContain('alice'), fast);
    await listener.stop();
    await leader.stop();
  });

  it('comes only with a certificate of the store', async () => {
    const stranger = { ...ctl.environment, ETCDCTL_CERT: '', ETCDCTL_KEY: '' };
    const { ETCDCTL_CERT: _, ETCDCTL_KEY: __, ...environment } = stranger;
    await expect(succeed('etcdctl', ['get', 'a', '--command-timeout=2s'], { environment })).rejects.toThrow();
  });

  it('passes its own performance check', async () => {
    const { code, stdout } = await ctl.run(['check', 'perf']);
    expect(stdout).toContain('PASS: Throughput');
    expect(code, stdout).toBe(0);
  });
});

describe('a store and a real etcd', () => {
  it('move to each other by their backups, with the same revisions, leases and hash', async () => {
    const { ctl } = await members(1);
    await fill(ctl);
    const file = join(folder, 'ours.db');
    await ctl.lines('snapshot', 'save', file);
    const [status] = await ctl.lines('snapshot', 'status', file);
    const { kvs, header } = await ctl.json<Range>('get', '/h/', '--prefix');
    expect(status).toContain(`, ${header.revision}, `);
    const dataDir = join(folder, 'restored-etcd');
    await ctl.lines('snapshot', 'restore', file, `--data-dir=${dataDir}`);
    const etcd = await RealEtcd.start(dataDir);
    opened.push(() => etcd.close());
    const real = await Etcdctl.plain(etcd.url);
    expect((await real.json<Range>('get', '/h/', '--prefix')).kvs).toEqual(kvs);
    expect((await real.lines('lease', 'list')).slice(1)).toEqual((await ctl.lines('lease', 'list')).slice(1));
    expect(hashOf((await real.lines('endpoint', 'hashkv'))[0])).toBe(
      hashOf((await ctl.lines('endpoint', 'hashkv'))[0]),
    );

    // And back: with a lease whose id only etcd makes so large.
    const granted = leaseOf((await real.lines('lease', 'grant', '2000'))[0]);
    await real.lines('put', '/h/back', 'x', `--lease=${granted}`);
    await real.lines('del', '/h/1');
    const back = join(folder, 'theirs.db');
    await real.lines('snapshot', 'save', back);
    const again = await restored(back, 0);
    expect(await again.json<Range>('get', '', '--prefix')).toMatchObject({
      kvs: (await real.json<Range>('get', '', '--prefix')).kvs,
    });
    expect((await again.lines('lease', 'timetolive', granted, '--keys'))[0]).toContain('attached keys([/h/back])');
    expect(hashOf((await again.lines('endpoint', 'hashkv'))[0])).toBe(
      hashOf((await real.lines('endpoint', 'hashkv'))[0]),
    );
  });

  it('bumps revisions when it is told to, and has all before compacted', async () => {
    const { ctl } = await members(1);
    await ctl.lines('put', 'a', '1');
    const file = join(folder, 'bumped.db');
    await ctl.lines('snapshot', 'save', file);
    const again = await restored(file, 1_000_000_000);
    const { header, kvs } = await again.json<Range>('get', 'a');
    expect(header.revision).toBe(1_000_000_002);
    expect(kvs?.[0]?.mod_revision).toBe(2);
    const watch = again.start('watch', 'a', '--rev=3');
    await watch.ended();
    expect(watch.output).toContain('mvcc: required revision has been compacted');
    await again.lines('put', 'a', '2');
    expect((await again.json<Range>('get', 'a')).kvs?.[0]?.mod_revision).toBe(1_000_000_003);
  });

  it('is mirrored by the other, both ways', async () => {
    const { ctl } = await members(1);
    const etcd = await RealEtcd.start(join(folder, 'mirror-etcd'));
    opened.push(() => etcd.close());
    const real = await Etcdctl.plain(etcd.url);
    for (let i = 0; i < 30; i++) await ctl.lines('put', `/m/${i}`, String(i));
    const there = ctl.start('make-mirror', '--dest-insecure-transport', etcd.url);
    await eventually('what was there is mirrored', async () => {
      expect((await real.json<Range>('get', '/m/', '--prefix')).count).toBe(30);
    });
    await ctl.lines('put', '/m/new', 'x');
    await ctl.lines('del', '/m/0');
    await eventually('changes are mirrored', async () => {
      expect(await real.lines('get', '/m/new', '--print-value-only')).toEqual(['x']);
      expect((await real.json<Range>('get', '/m/', '--prefix')).count).toBe(30);
    });
    await there.stop();

    const { ETCDCTL_CACERT: ca, ETCDCTL_CERT: cert, ETCDCTL_KEY: key, ETCDCTL_ENDPOINTS: url } = ctl.environment;
    const dest = [`--dest-cacert=${ca}`, `--dest-cert=${cert}`, `--dest-key=${key}`];
    const here = real.start('make-mirror', ...dest, '--prefix=/m/', '--dest-prefix=/back/', String(url));
    await eventually('all of it comes back', async () => {
      expect((await ctl.json<Range>('get', '/back/', '--prefix')).count).toBe(30);
    });
    await real.lines('put', '/m/last', 'y');
    await eventually('changes come back', async () => {
      expect(await ctl.lines('get', '/back/last', '--print-value-only')).toEqual(['y']);
    });
    await here.stop();
  });

  async function restored(file: string, bumpRevisions: number): Promise<Etcdctl> {
    const store = await StoreProcesses.make(1);
    opened.push(() => store.close());
    const [member] = store.members;
    if (member === undefined) throw new Error('there is no member');
    await operate({
      kind: 'snapshotRestore',
      file,
      skipHashCheck: false,
      bumpRevisions,
      initialCluster: `${member.name}=${member.peerUrl}`,
      initialClusterToken: 'etcd-cluster',
      members: [{ name: member.name, dataDir: join(store.folder, member.name) }],
    });
    store.start(0);
    const ctl = await Etcdctl.of(store);
    await eventually('the restored store serves', () => ctl.lines('endpoint', 'health'), fast);
    return ctl;
  }
});

describe('etcdctl with three members', () => {
  let store: StoreProcesses;
  let ctl: Etcdctl;
  beforeAll(async () => {
    ({ store, ctl } = await members(3));
  });

  const statuses = () => ctl.json<EndpointStatus[]>('endpoint', 'status');
  const leaderOf = (all: readonly EndpointStatus[]) =>
    all.findIndex(({ Status: { header, leader } }) => header.member_id === leader);

  it('sees one leader, one history, one hash', async () => {
    await fill(ctl);
    const all = await statuses();
    expect(new Set(all.map(({ Status }) => Status.leader)).size).toBe(1);
    expect(all.filter(({ Status: { header, leader } }) => header.member_id === leader)).toHaveLength(1);
    await eventually('each says where it is', async () => {
      const list = await ctl.lines('member', 'list');
      for (const { name, clientUrl } of store.members) {
        expect(list.some((line) => line.includes(`, started, ${name}, `) && line.includes(clientUrl))).toBe(true);
      }
    });
    await eventually('all have the same', async () => {
      expect(new Set((await ctl.lines('endpoint', 'hashkv')).map(hashOf)).size).toBe(1);
    });
  });

  it('works through any member: reads, writes, watches and leases', async () => {
    for (const index of [0, 1, 2]) {
      const one = await Etcdctl.of(store, index);
      await one.lines('put', `/any/${index}`, 'x');
      expect(await ctl.lines('get', `/any/${index}`, '--print-value-only')).toEqual(['x']);
      const id = leaseOf((await one.lines('lease', 'grant', '100'))[0]);
      expect((await one.lines('lease', 'keep-alive', '--once', id))[0]).toContain('keepalived with TTL(100)');
      expect((await one.lines('lease', 'timetolive', id))[0]).toContain('granted with TTL(100s)');
    }
  });

  it('moves leadership', async () => {
    const before = await statuses();
    const target = before.find(({ Status: { header, leader } }) => header.member_id !== leader)?.Status.header
      .member_id;
    const hex = (target ?? 0).toString(16);
    expect((await ctl.lines('move-leader', hex))[0]).toContain(`to ${hex}`);
    const after = await statuses();
    expect(after[leaderOf(after)]?.Status.header.member_id).toBe(target);
    expect(await ctl.failure('move-leader', 'abc')).toContain('etcdserver: bad leader transferee');
  });

  it('goes on watching and keeping a lease while the leader dies and comes back', async () => {
    const id = leaseOf((await ctl.lines('lease', 'grant', '5'))[0]);
    await ctl.lines('put', '/d/leased', 'x', `--lease=${id}`);
    const keeping = ctl.start('lease', 'keep-alive', id);
    const watch = ctl.start('watch', '/d/', '--prefix');
    await eventually('it is kept', () => expect(keeping.output).toContain('keepalived'), fast);
    const leader = leaderOf(await statuses());
    await store.stop(leader, 'SIGKILL');
    const others = await Etcdctl.of(store, ...[0, 1, 2].filter((index) => index !== leader));
    await eventually('the others go on', () => others.lines('put', '/d/a', '1'), fast);
    await eventually('the watch goes on', () => expect(watch.output).toContain('/d/a\n1'), fast);
    await new Promise((resolve) => setTimeout(resolve, 7000));
    expect(await others.lines('get', '/d/leased', '--print-value-only')).toEqual(['x']);
    store.start(leader);
    await eventually('it is back', () => ctl.lines('endpoint', 'health'), fast);
    await watch.stop();
    await keeping.stop();
  });
});
