import { X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { examine } from './examine.ts';
import { ensureTree, readPair } from './tree.ts';
import { type CertificateWish, controlPlaneWishes, nodeWishes, storeWishes } from './wish.ts';

const nowMs = Date.parse('2026-03-01T12:00:00Z');
const dayMs = 24 * 3_600_000;
const names = {
  ipAddresses: ['172.30.0.1'],
  dnsNames: ['host-a'],
  serviceIp: '10.96.0.1',
  clusterDomain: 'cluster.local',
};
const wishes = [...controlPlaneWishes(names), ...nodeWishes({ name: 'node-1', ipAddresses: ['172.30.0.11'] })];
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wherry-pki-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const certificate = async (name: string): Promise<X509Certificate> =>
  new X509Certificate(await readFile(join(folder, `${name}.crt`), 'utf8'));

test('ensureTree makes kubeadm’s files, and a second run makes nothing', async () => {
  const made = await ensureTree(folder, wishes, nowMs);
  expect(made.map((one) => one.name).sort()).toEqual(
    ['ca', 'etcd/ca', 'front-proxy-ca', 'sa', ...wishes.map((wish) => wish.name)].sort(),
  );
  expect(await ensureTree(folder, wishes, nowMs)).toEqual([]);
  expect((await stat(join(folder, 'ca.key'))).mode & 0o777).toBe(0o600);
  expect(await readFile(join(folder, 'sa.pub'), 'utf8')).toContain('BEGIN PUBLIC KEY');
});

test('the API server’s certificate carries every name clients use', async () => {
  await ensureTree(folder, wishes, nowMs);
  const apiserver = await certificate('apiserver');
  for (const name of ['kubernetes', 'kubernetes.default.svc.cluster.local', 'localhost', 'host-a']) {
    expect(apiserver.checkHost(name), name).toBe(name);
  }
  for (const address of ['10.96.0.1', '127.0.0.1', '172.30.0.1']) expect(apiserver.checkIP(address)).toBe(address);
  expect(apiserver.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
  expect(apiserver.ca).toBe(false);
});

test.each([
  { name: 'clients/admin', subject: 'O=system:masters\nCN=kubernetes-admin', authority: 'ca' },
  { name: 'nodes/node-1/kubelet-client', subject: 'O=system:nodes\nCN=system:node:node-1', authority: 'ca' },
  { name: 'clients/scheduler', subject: 'CN=system:kube-scheduler', authority: 'ca' },
  { name: 'apiserver-etcd-client', subject: 'CN=kube-apiserver-etcd-client', authority: 'etcd/ca' },
])('$name is signed by $authority for its subject', async ({ name, subject, authority }) => {
  await ensureTree(folder, wishes, nowMs);
  const leaf = await certificate(name);
  expect(leaf.subject).toBe(subject);
  expect(leaf.verify((await certificate(authority)).publicKey)).toBe(true);
  expect(leaf.verify((await certificate('front-proxy-ca')).publicKey)).toBe(false);
});

test('a new name or a near end renews that certificate alone, and keeps its authority', async () => {
  await ensureTree(folder, wishes, nowMs);
  const authority = await readFile(join(folder, 'ca.crt'), 'utf8');
  const moved = controlPlaneWishes({ ...names, ipAddresses: ['172.31.0.1'] });
  expect(await ensureTree(folder, moved, nowMs)).toEqual([{ name: 'apiserver', reason: 'lacks the name 172.31.0.1' }]);
  const late = await ensureTree(
    folder,
    nodeWishes({ name: 'node-1', ipAddresses: ['172.30.0.11'] }),
    nowMs + 340 * dayMs,
  );
  expect(late.map((one) => one.name).sort()).toEqual(['nodes/node-1/kubelet', 'nodes/node-1/kubelet-client']);
  expect(await readFile(join(folder, 'ca.crt'), 'utf8')).toBe(authority);
});

test('an authority that does not fit is refused, not replaced', async () => {
  await ensureTree(folder, wishes, nowMs);
  await writeFile(join(folder, 'ca.key'), await readFile(join(folder, 'apiserver.key'), 'utf8'));
  await expect(ensureTree(folder, wishes, nowMs)).rejects.toThrow(/Cannot use .*ca\.crt: key of another certificate/);
});

test('examine names the reason', async () => {
  await ensureTree(folder, wishes, nowMs);
  const pair = await readPair(folder, 'clients/dns');
  const ca = await readFile(join(folder, 'ca.crt'), 'utf8');
  const etcdCa = await readFile(join(folder, 'etcd/ca.crt'), 'utf8');
  const wish = wishes.find((one) => one.name === 'clients/dns') as CertificateWish;
  expect(examine(wish, pair, ca, nowMs)).toEqual({ fits: true });
  expect(examine(wish, undefined, ca, nowMs)).toEqual({ fits: false, reason: 'missing' });
  expect(examine(wish, pair, etcdCa, nowMs)).toEqual({ fits: false, reason: 'signed by another authority' });
  expect(examine({ ...wish, commonName: 'system:dns' }, pair, ca, nowMs)).toEqual({
    fits: false,
    reason: 'other subject',
  });
  expect(examine(wish, pair, ca, nowMs + 400 * dayMs)).toMatchObject({
    fits: false,
    reason: expect.stringContaining('expired'),
  });
});

test('a store member on a host of its own has its own pairs, which only the store’s authority signs', async () => {
  await ensureTree(folder, storeWishes({ name: 'host-2', ipAddresses: ['192.0.2.12'], dnsNames: ['host-2'] }), nowMs);
  const authority = await certificate('etcd/ca');
  for (const door of ['server', 'peer']) {
    const leaf = await certificate(`etcd/host-2/${door}`);
    expect(leaf.verify(authority.publicKey), door).toBe(true);
    expect([leaf.checkIP('192.0.2.12'), leaf.checkIP('127.0.0.1'), leaf.checkHost('host-2')], door).toEqual([
      '192.0.2.12',
      '127.0.0.1',
      'host-2',
    ]);
    // Members dial each other with what they serve.
    expect([...(leaf.keyUsage ?? [])].sort(), door).toEqual(['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']);
  }
});
