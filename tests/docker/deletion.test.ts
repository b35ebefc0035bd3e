import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../harness/eventually.ts';
import { succeed } from '../harness/run.ts';
import { deployEcho, echoManifest } from './echo-app.ts';
import { cluster } from './shared-cluster.ts';

const namespace = 'deletion';

describe('deletion and dry run', () => {
  beforeAll(() => deployEcho(cluster, { namespace, replicas: 2 }));
  afterAll(() => cluster.kubectlOk(['delete', 'namespace', namespace, '--ignore-not-found']));

  it('changes nothing in a dry run', async () => {
    for (const strategy of ['client', 'server']) {
      await cluster.kubectlOk(['delete', 'deployment', 'echo', '-n', namespace, `--dry-run=${strategy}`]);
      await cluster.kubectlOk([
        'create',
        'configmap',
        'never',
        '--from-literal=a=b',
        '-n',
        namespace,
        `--dry-run=${strategy}`,
      ]);
      const scaled = echoManifest({ namespace, replicas: 7 });
      await cluster.apply(scaled, [`--dry-run=${strategy}`]);
    }
    expect(
      await cluster.kubectlOk(['get', 'deployment', 'echo', '-n', namespace, '-o', 'jsonpath={.spec.replicas}']),
    ).toBe('2');
    expect((await cluster.kubectl(['get', 'configmap', 'never', '-n', namespace])).stderr).toContain('NotFound');
  });

  it('deletes a deployment with its replica sets and pods', async () => {
    await cluster.kubectlOk(['delete', 'deployment', 'echo', '-n', namespace]);
    await eventually('everything it owned is gone', async () => {
      const left = await cluster.kubectlOk(['get', 'replicasets,pods', '-n', namespace, '-o', 'name']);
      expect(left).toBe('');
    });
  });

  it('leaves replica sets and pods when asked to orphan them', async () => {
    await deployEcho(cluster, { namespace, replicas: 1 });
    await cluster.kubectlOk(['delete', 'deployment', 'echo', '-n', namespace, '--cascade=orphan']);
    const left = await cluster.kubectlOk(['get', 'replicasets,pods', '-n', namespace, '-o', 'name']);
    expect(left).toMatch(/replicaset\.apps\/echo-\w+\npod\/echo-\w+-\w+/);
  });

  it('deletes a namespace with all that is in it, containers included', async () => {
    await cluster.kubectlOk(['delete', 'namespace', namespace]);
    expect((await cluster.kubectl(['get', 'namespace', namespace])).stderr).toContain('NotFound');
    expect(await cluster.kubectlOk(['get', 'all', '-n', namespace, '-o', 'name'])).toBe('');
    await eventually('its containers are gone', async () => {
      const left = await succeed('docker', ['ps', '-aq', '--filter', `label=io.kubernetes.pod.namespace=${namespace}`]);
      expect(left).toBe('');
    });
  });
});
