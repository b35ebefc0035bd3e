import { rmSync } from 'node:fs';
import {
  ApiException,
  AppsV1Api,
  CoreV1Api,
  KubeConfig,
  makeInformer,
  PatchStrategy,
  setHeaderOptions,
  type V1Pod,
  VersionApi,
  Watch,
} from '@kubernetes/client-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Cluster } from '../harness/cluster.ts';
import { eventually } from '../harness/eventually.ts';

/** The official JavaScript client, unmodified, on a control plane with one simulated node. */
const cluster = new Cluster({ name: 'clients-ring', nodes: 1, port: 36444, flags: ['--runtime', 'hollow'] });
const namespace = 'clients';

describe('the official JavaScript client', () => {
  const config = new KubeConfig();
  let core: CoreV1Api;
  beforeAll(async () => {
    await cluster.up();
    config.loadFromFile(cluster.kubeconfig);
    core = config.makeApiClient(CoreV1Api);
    await core.createNamespace({ body: { metadata: { name: namespace } } });
  });
  afterAll(async () => {
    await cluster.down();
    rmSync(cluster.home, { recursive: true, force: true });
  });

  it('reads the version and the nodes', async () => {
    expect((await config.makeApiClient(VersionApi).getCode()).gitVersion).toMatch(/^v1\.35\./);
    expect((await core.listNode()).items.map(({ metadata }) => metadata?.name)).toEqual(['node-1']);
  });

  it('creates, patches, pages through and deletes objects', async () => {
    for (const name of ['a', 'b', 'c']) {
      await core.createNamespacedConfigMap({
        namespace,
        body: { metadata: { name, labels: { page: 'yes' } }, data: { name } },
      });
    }
    const patched = await core.patchNamespacedConfigMap(
      { namespace, name: 'a', body: { data: { more: 'x' } } },
      setHeaderOptions('Content-Type', PatchStrategy.MergePatch),
    );
    expect(patched.data).toEqual({ name: 'a', more: 'x' });
    const first = await core.listNamespacedConfigMap({ namespace, labelSelector: 'page=yes', limit: 2 });
    const rest = await core.listNamespacedConfigMap({
      namespace,
      labelSelector: 'page=yes',
      limit: 2,
      _continue: first.metadata?._continue ?? '',
    });
    expect([...first.items, ...rest.items].map(({ metadata }) => metadata?.name)).toEqual(['a', 'b', 'c']);
    await core.deleteCollectionNamespacedConfigMap({ namespace, labelSelector: 'page=yes' });
    expect((await core.listNamespacedConfigMap({ namespace, labelSelector: 'page=yes' })).items).toEqual([]);
  });

  it('gets a Status for what is missing', async () => {
    const missing = core.readNamespacedPod({ namespace, name: 'nobody' });
    await expect(missing).rejects.toBeInstanceOf(ApiException);
    await expect(missing).rejects.toMatchObject({
      code: 404,
      body: expect.stringContaining('pods \\"nobody\\" not found'),
    });
  });

  it('watches objects come, change and go', async () => {
    const seen: string[] = [];
    const stop = await new Watch(config).watch(
      `/api/v1/namespaces/${namespace}/secrets`,
      { fieldSelector: 'metadata.name=watched' },
      (type: string) => seen.push(type),
      () => {},
    );
    await core.createNamespacedSecret({ namespace, body: { metadata: { name: 'watched' }, stringData: { a: '1' } } });
    await core.replaceNamespacedSecret({
      namespace,
      name: 'watched',
      body: { metadata: { name: 'watched' }, stringData: { a: '2' } },
    });
    await core.deleteNamespacedSecret({ namespace, name: 'watched' });
    await eventually('three events', () => expect(seen).toEqual(['ADDED', 'MODIFIED', 'DELETED']), {
      timeoutMs: 10_000,
    });
    stop.abort();
  });

  it('follows a Deployment’s pods with an informer', async () => {
    const running = new Set<string>();
    const informer = makeInformer<V1Pod>(config, `/api/v1/namespaces/${namespace}/pods`, () =>
      core.listNamespacedPod({ namespace }),
    );
    const note = (pod: V1Pod) => void (pod.status?.phase === 'Running' && running.add(pod.metadata?.name ?? ''));
    informer.on('add', note);
    informer.on('update', note);
    await informer.start();
    const labels = { app: 'web' };
    await config.makeApiClient(AppsV1Api).createNamespacedDeployment({
      namespace,
      body: {
        metadata: { name: 'web' },
        spec: {
          replicas: 2,
          selector: { matchLabels: labels },
          template: { metadata: { labels }, spec: { containers: [{ name: 'web', image: 'example/web:1' }] } },
        },
      },
    });
    await eventually('two running pods', () => expect(running.size).toBe(2), { timeoutMs: 30_000 });
    await informer.stop();
  });

  it('shares the cluster with kubectl, which checks lists by itself, against the OpenAPI v2 document', async () => {
    const configMap = (name: string, more: object = {}) => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name, namespace },
      ...more,
    });
    const list = (...items: object[]) => JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
    const applied = await cluster.kubectlOk(['apply', '-f', '-'], { input: list(configMap('x'), configMap('y')) });
    expect(applied).toBe('configmap/x created\nconfigmap/y created\n');
    const wrong = await cluster.kubectl(['create', '-f', '-'], { input: list(configMap('z', { daata: {} })) });
    expect(wrong.stderr).toContain('ValidationError(ConfigMap): unknown field "daata" in io.k8s.api.core.v1.ConfigMap');
  });
});
