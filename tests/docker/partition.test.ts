import type { Node, Pod } from '@wherry/api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, holds } from '../harness/eventually.ts';
import { succeed } from '../harness/run.ts';
import { deployEcho, echoPods, isReady } from './echo-app.ts';
import { cluster } from './shared-cluster.ts';

const namespace = 'partition';
const cutOff = 'node-3';

const uidOf = (pod: Pod): string => pod.metadata?.uid ?? '';
const isOn = (node: string) => (pod: Pod) => pod.spec?.nodeName === node;
const readiness = async (): Promise<string | undefined> =>
  (await cluster.get<Node>(['node', cutOff])).status?.conditions?.find(({ type }) => type === 'Ready')?.status;

/** Pods of the application whose containers run right now, whatever the API says of them. */
async function runningPodUids(): Promise<readonly string[]> {
  const filters = ['label=io.kubernetes.container.name=echo', `label=io.kubernetes.pod.namespace=${namespace}`];
  const format = '{{.Label "io.kubernetes.pod.uid"}}';
  const text = await succeed('docker', [
    'ps',
    '--format',
    format,
    ...filters.flatMap((filter) => ['--filter', filter]),
  ]);
  return text.split('\n').filter((uid) => uid !== '');
}

/** Pulls the node's only cable, on the bridge's side, or plugs it in again. Its processes and containers stay. */
async function setLink(state: 'up' | 'down'): Promise<void> {
  const anchor = `wherry-${cluster.name}-${cutOff}`;
  const pid = (await succeed('docker', ['inspect', '--format', '{{.State.Pid}}', anchor])).trim();
  const link = await succeed('nsenter', [`--net=/proc/${pid}/ns/net`, '--', 'ip', '-o', 'link', 'show', 'eth0']);
  const peerIndex = /eth0@if(\d+)/.exec(link)?.[1] ?? '';
  const links = await succeed('ip', ['-o', 'link']);
  const peer = new RegExp(`^${peerIndex}: ([^@:]+)`, 'm').exec(links)?.[1];
  if (peer === undefined) throw new Error(`No link of this machine leads to ${anchor}: ${link}`);
  await succeed('ip', ['link', 'set', peer, state]);
}

describe('a worker that is cut off but running', () => {
  beforeAll(() => deployEcho(cluster, { namespace, replicas: 6 }));
  afterAll(async () => {
    await setLink('up');
    await cluster.kubectlOk(['delete', 'namespace', namespace]);
  });

  it('keeps its pods running while they are replaced, and ends them once it is back', async () => {
    const stranded = (await echoPods(cluster, namespace)).filter(isOn(cutOff)).map(uidOf);
    expect(stranded.length).toBeGreaterThan(0);
    await setLink('down');

    await eventually('the node is NotReady', async () => expect(await readiness()).toBe('Unknown'));
    await eventually('six ready pods on the other nodes', async () => {
      const elsewhere = (await echoPods(cluster, namespace)).filter((pod) => !isOn(cutOff)(pod));
      expect(elsewhere.filter(isReady)).toHaveLength(6);
    });
    await holds(async () => expect(await runningPodUids()).toEqual(expect.arrayContaining(stranded)), 2_000);

    await setLink('up');
    await eventually('the node is Ready', async () => expect(await readiness()).toBe('True'));
    await eventually('the old pods have ended and none runs twice', async () => {
      const running = await runningPodUids();
      const known = (await echoPods(cluster, namespace)).map(uidOf);
      expect([...running].sort()).toEqual([...known].sort());
      expect(running.filter((uid) => stranded.includes(uid))).toEqual([]);
    });
    expect((await echoPods(cluster, namespace)).filter(isReady)).toHaveLength(6);
  });
});
