import { silentLogger } from '@wherry/daemon';
import { describe, expect, it } from 'vitest';
import { recoverMember } from '../replica/recovery.ts';
import { recover } from '../wal/recovery.ts';
import { SimulatedDisk } from '../wal/simulated-disk.ts';
import { Wal } from '../wal/wal.ts';
import { checkDirectory, foundCluster, parseInitialCluster } from './identity.ts';

const flags = (name: string, ports: number, token?: string) => ({
  name,
  dataDir: '/data',
  initialCluster: parseInitialCluster([1, 2, 3].map((n) => `m${n}=https://10.0.0.${n}:${ports}`).join()),
  initialClusterToken: token,
});

describe('who a member is', () => {
  it('depends on its name and the token, not on its address', () => {
    const one = foundCluster(flags('m1', 2380), undefined);
    expect(foundCluster(flags('m1', 9999), undefined).identity).toEqual(one.identity);
    expect(foundCluster(flags('m1', 2380, 'other'), undefined).identity).not.toEqual(one.identity);
    expect(foundCluster(flags('m2', 2380), undefined).identity.clusterId).toBe(one.identity.clusterId);
  });

  it('is kept in its directory, with the names of the others', async () => {
    const disk = new SimulatedDisk({ random: () => 0 });
    const first = await recoverMember(disk, (known) => foundCluster(flags('m1', 2380), known), silentLogger);
    const found = () => {
      throw new Error('It was asked again');
    };
    const again = await recoverMember(disk, found, silentLogger);
    expect(again.identity).toEqual(first.identity);
    expect(again.cluster.members).toEqual(first.cluster.members);
    expect(() => checkDirectory(flags('m1', 9999), again)).not.toThrow();
    expect(() => checkDirectory(flags('m2', 2380), again)).toThrow('it belongs to member "m1" of cluster');
    expect(() => checkDirectory(flags('m1', 2380, 'other'), again)).toThrow('made with the token "etcd-cluster"');
  });

  it('was its address in an earlier version, whose directories are taken over', async () => {
    // As the earlier version made it: identity from name, address and token, and nothing about the others.
    const identity = { clusterId: 0x8ee352d4ef8ad, memberId: 0x828be2f79e043 };
    const disk = new SimulatedDisk({ random: () => 0 });
    await (await Wal.open(disk, identity, await recover(disk))).close();
    const moved = recoverMember(disk, (known) => foundCluster(flags('m1', 9999), known), silentLogger);
    await expect(moved).rejects.toThrow('start it once more with its former --name, --initial-cluster');
    const taken = await recoverMember(disk, (known) => foundCluster(flags('m1', 2380, 'new'), known), silentLogger);
    expect(taken.identity).toEqual(identity);
    const later = await recoverMember(disk, (known) => foundCluster(flags('m1', 9999), known), silentLogger);
    expect(later.identity).toEqual(identity);
    expect(later.persisted.snapshot.configuration.voters.length).toBe(3);
  });
});
