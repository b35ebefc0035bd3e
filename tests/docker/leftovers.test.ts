import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Cluster } from '../harness/cluster.ts';
import { eventually } from '../harness/eventually.ts';
import { repository } from '../harness/repository.ts';
import { run, succeed } from '../harness/run.ts';

interface NodeList {
  readonly items: readonly {
    readonly metadata: { readonly name: string };
    readonly status: {
      readonly addresses: readonly { readonly type: string; readonly address: string }[];
      readonly conditions: readonly { readonly type: string; readonly status: string }[];
    };
  }[];
}

const cluster = new Cluster({ name: 'leftovers', nodes: 2, port: 17451, flags: ['--profile', 'fast'] });
const folder = join(cluster.home, cluster.name);

const nodes = async (): Promise<Readonly<Record<string, string>>> =>
  Object.fromEntries(
    (await cluster.get<NodeList>(['nodes'])).items.map(({ metadata, status }) => {
      const ready = status.conditions.find(({ type }) => type === 'Ready')?.status === 'True';
      const address = status.addresses.find(({ type }) => type === 'InternalIP')?.address ?? '';
      return [metadata.name, `${ready ? 'Ready' : 'NotReady'} ${address}`];
    }),
  );

const containers = async (filters: readonly string[]): Promise<readonly string[]> =>
  (
    await succeed('docker', [
      'ps',
      '-a',
      '--format',
      '{{.Names}}',
      ...filters.flatMap((filter) => ['--filter', filter]),
    ])
  )
    .split('\n')
    .filter((name) => name !== '');

const label = `label=io.wherry.cluster=${cluster.name}`;

describe('a cluster on this machine', () => {
  beforeAll(async () => {
    await cluster.up();
    await cluster.kubectlOk(['apply', '-f', join(repository, 'examples/echo.yaml')]);
    await cluster.kubectlOk(['rollout', 'status', 'deployment/echo', '--timeout=90s']);
  });
  afterAll(async () => {
    await cluster.down();
    rmSync(cluster.home, { recursive: true });
  });

  test('a node that was killed comes back with its name and address', async () => {
    const before = await nodes();
    await cluster.wherryOk(['node', 'kill', 'node-2']);
    const alive = await containers([label, 'label=io.wherry.node=node-2', 'status=running']);
    expect(alive).toEqual([]);
    await eventually('node-2 is NotReady', async () => expect((await nodes())['node-2']).toMatch(/^NotReady/));
    await cluster.wherryOk(['node', 'start', 'node-2']);
    await eventually('node-2 is back', async () => expect(await nodes()).toEqual(before));
  });

  test('down stops every container, and up brings the same pods back', async () => {
    const names = async (): Promise<string> => cluster.kubectlOk(['get', 'pods', '-o', 'name']);
    await cluster.kubectlOk(['rollout', 'status', 'deployment/echo', '--timeout=90s']);
    await eventually('evicted pods are gone', async () => expect((await names()).trim().split('\n')).toHaveLength(3));
    const before = await names();
    await cluster.wherryOk(['down']);
    expect(await containers([label, 'status=running'])).toEqual([]);
    await cluster.wherryOk(['up']);
    await cluster.kubectlOk(['wait', '--for=condition=Ready', 'pod', '--all', '--timeout=90s']);
    expect(await names()).toBe(before);
  });

  test('down --delete leaves nothing behind', async () => {
    const { subnet } = JSON.parse(readFileSync(join(folder, 'cluster.json'), 'utf8'));
    const prefix = subnet.gateway.replace(/1$/, '');
    await cluster.down();
    expect(await containers([label])).toEqual([]);
    expect(await succeed('docker', ['network', 'ls', '--format', '{{.Name}}'])).not.toContain('wherry-leftovers');
    expect(await succeed('ip', ['route'])).not.toContain(prefix);
    expect(await succeed('ip', ['-brief', 'address'])).not.toContain(prefix);
    expect(await succeed('nft', ['list', 'ruleset'])).not.toContain(prefix);
    expect((await run('ip', ['netns'])).stdout).not.toContain('leftovers');
    expect(readFileSync('/proc/self/mounts', 'utf8')).not.toContain(folder);
    expect((await run('pgrep', ['-f', `=${folder}/`])).stdout).toBe('');
    expect(existsSync(folder)).toBe(false);
  });
});
