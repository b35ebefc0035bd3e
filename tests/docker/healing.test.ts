import type { EventList, Pod, PodList } from '@wherry/api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../harness/eventually.ts';
import { succeed } from '../harness/run.ts';
import { deployEcho, echoPods, isReady } from './echo-app.ts';
import { cluster } from './shared-cluster.ts';

const namespace = 'healing';

const containerId = (pod: Pod | undefined): string =>
  pod?.status?.containerStatuses?.[0]?.containerID?.replace('docker://', '') ?? '';

describe('healing', () => {
  beforeAll(() => deployEcho(cluster, { namespace, replicas: 2 }));
  afterAll(() => cluster.kubectlOk(['delete', 'namespace', namespace]));

  it('restarts a killed container in its pod and counts it', async () => {
    const [victim] = await echoPods(cluster, namespace);
    const name = victim?.metadata?.name ?? '';
    await succeed('docker', ['kill', containerId(victim)]);
    const healed = await eventually('the container is back', async () => {
      const pod = await cluster.get<Pod>(['pod', name, '-n', namespace]);
      expect(pod.status?.containerStatuses?.[0]?.restartCount).toBe(1);
      expect(isReady(pod)).toBe(true);
      return pod;
    });
    expect(containerId(healed)).not.toBe(containerId(victim));
    expect(healed.metadata?.uid).toBe(victim?.metadata?.uid);
    expect(healed.status?.podIP).toBe(victim?.status?.podIP);
    expect(healed.status?.containerStatuses?.[0]?.lastState?.terminated).toMatchObject({
      exitCode: 137,
      reason: 'Error',
    });
  });

  it('replaces a deleted pod', async () => {
    const [victim] = await echoPods(cluster, namespace);
    await cluster.kubectlOk(['delete', 'pod', victim?.metadata?.name ?? '', '-n', namespace]);
    await eventually('two other pods are ready', async () => {
      const pods = await echoPods(cluster, namespace);
      expect(pods.filter(isReady)).toHaveLength(2);
      expect(pods.map(({ metadata }) => metadata?.uid)).not.toContain(victim?.metadata?.uid);
    });
  });

  it('backs off a crashing container with upstream’s times and words', async () => {
    const manifest = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'crash', namespace },
      spec: { containers: [{ name: 'main', image: 'wherry/echo:1', command: ['node', '-e', 'process.exit(3)'] }] },
    };
    await cluster.apply(JSON.stringify(manifest));
    const starts = new Map<number, number>();
    await eventually(
      'three restarts',
      async () => {
        const pod = await cluster.get<Pod>(['pod', 'crash', '-n', namespace]);
        const [status] = pod.status?.containerStatuses ?? [];
        const started = status?.lastState?.terminated?.startedAt ?? status?.state?.terminated?.startedAt;
        if (started !== undefined && status !== undefined) starts.set(status.restartCount, Date.parse(started));
        expect(status?.restartCount).toBeGreaterThanOrEqual(3);
        expect(status?.state?.waiting?.reason).toBe('CrashLoopBackOff');
        expect(status?.state?.waiting?.message).toMatch(
          /^back-off 40s restarting failed container=main pod=crash_healing\(/,
        );
        expect(status?.lastState?.terminated).toMatchObject({ exitCode: 3, reason: 'Error' });
      },
      { timeoutMs: 120_000, everyMs: 500 },
    );
    const pods = await cluster.get<PodList>(['pods', '-n', namespace, '--field-selector', 'metadata.name=crash']);
    expect(pods.items[0]?.status?.phase).toBe('Running');
    const table = await cluster.kubectlOk(['get', 'pod', 'crash', '-n', namespace]);
    expect(table).toContain('CrashLoopBackOff');
    const events = await cluster.get<EventList>([
      'events',
      '-n',
      namespace,
      '--field-selector',
      'involvedObject.name=crash,reason=BackOff',
    ]);
    expect(events.items[0]?.message).toContain('Back-off restarting failed container main in pod crash_healing(');
  });
});
