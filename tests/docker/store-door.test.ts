import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cluster } from './shared-cluster.ts';

interface Status {
  readonly daemons: readonly {
    readonly name: string;
    readonly kind: string;
    readonly pid: number;
    readonly addresses: readonly string[];
  }[];
}

/** Ports of the store as hexadecimal, as /proc/net/tcp writes them. */
function socketInodes(ports: ReadonlySet<string>): ReadonlySet<string> {
  const lines = ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((file) => readFileSync(file, 'utf8').split('\n').slice(1));
  const fields = lines.map((line) => line.trim().split(/\s+/));
  return new Set(
    fields.filter(([, , remote = '']) => ports.has(remote.split(':')[1] ?? '')).map((field) => field[9] ?? ''),
  );
}

function openSockets(pid: number): readonly string[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? [];
    } catch {
      // Closed between listing and looking.
      return [];
    }
  });
}

describe('the door into the store', () => {
  it('is known to the API server only', async () => {
    const { daemons } = JSON.parse(await cluster.wherryOk(['status', '-o', 'json'])) as Status;
    const stores = daemons.filter(({ kind }) => kind === 'store');
    const ports = stores.flatMap(({ addresses }) => addresses).map((address) => address.split(':').at(-1) ?? '');
    expect(ports.length).toBeGreaterThan(0);
    const connected = socketInodes(
      new Set(ports.map((port) => Number(port).toString(16).toUpperCase().padStart(4, '0'))),
    );
    const others = daemons.filter(({ kind }) => kind !== 'store' && kind !== 'apiserver');
    expect(others.length).toBeGreaterThanOrEqual(9);
    for (const { name, pid } of others) {
      const commandLine = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      const environment = readFileSync(`/proc/${pid}/environ`, 'utf8');
      const configured = `${commandLine}\0${environment}\0${kubeconfigsIn(commandLine)}`;
      expect(configured, name).not.toMatch(/etcd|store/i);
      for (const port of ports) expect(configured, name).not.toMatch(new RegExp(`:${port}\\b`));
      expect(
        openSockets(pid).filter((inode) => connected.has(inode)),
        name,
      ).toEqual([]);
    }
    const [apiserver] = daemons.filter(({ kind }) => kind === 'apiserver');
    expect(openSockets(apiserver?.pid ?? 0).some((inode) => connected.has(inode))).toBe(true);
  });

  it('is locked by a certificate authority of its own', () => {
    const read = (...parts: string[]) => readFileSync(join(cluster.home, cluster.name, 'pki', ...parts), 'utf8');
    expect(read('etcd', 'ca.crt')).not.toBe(read('ca.crt'));
  });
});

function kubeconfigsIn(commandLine: string): string {
  const files = [...commandLine.matchAll(/--kubeconfig=([^\0]+)/g)].map(([, file]) => file ?? '');
  return files.map((file) => readFileSync(file, 'utf8')).join('\n');
}
