import { rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Cluster } from '../harness/cluster.ts';

/** The official kubectl, unmodified, on a control plane with one simulated node. */
const cluster = new Cluster({ name: 'apply-ring', nodes: 1, port: 36547, flags: ['--runtime', 'hollow'] });

interface Entry {
  readonly manager: string;
  readonly operation: string;
  readonly subresource?: string;
  readonly fieldsV1: Readonly<Record<string, unknown>>;
}
interface Deployment {
  readonly metadata: { readonly resourceVersion: string; readonly managedFields: readonly Entry[] };
  readonly spec: {
    readonly replicas: number;
    readonly template: { readonly spec: { readonly containers: readonly { readonly image: string }[] } };
  };
}

const deployment = (name: string, spec: object = {}) =>
  JSON.stringify({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: {
      replicas: 1,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: { containers: [{ name: 'web', image: 'example/web:1', ports: [{ containerPort: 80 }] }] },
      },
      ...spec,
    },
  });
const serverSide = (manifest: string, ...args: readonly string[]) =>
  cluster.kubectl(['apply', '--server-side', '-f', '-', ...args], { input: manifest });
const fetched = (name: string) => cluster.get<Deployment>(['deployment', name, '--show-managed-fields']);
const owners = ({ metadata }: Deployment) =>
  metadata.managedFields.map(({ manager, operation, subresource = '' }) =>
    `${manager} ${operation} ${subresource}`.trim(),
  );

describe('server-side apply by the official kubectl', () => {
  beforeAll(() => cluster.up());
  afterAll(async () => {
    await cluster.down();
    rmSync(cluster.home, { recursive: true, force: true });
  });

  it('creates, changes, and says who owns what', async () => {
    const created = await serverSide(deployment('web'));
    expect([created.code, created.stdout]).toEqual([0, 'deployment.apps/web serverside-applied\n']);
    await serverSide(deployment('web', { replicas: 2 }));
    const { spec, metadata } = await fetched('web');
    expect(spec.replicas).toBe(2);
    expect(metadata.managedFields.find(({ operation }) => operation === 'Apply')).toMatchObject({
      manager: 'kubectl',
      fieldsV1: {
        'f:spec': {
          'f:replicas': {},
          'f:template': {
            'f:spec': {
              'f:containers': {
                'k:{"name":"web"}': {
                  '.': {},
                  'f:ports': { 'k:{"containerPort":80,"protocol":"TCP"}': { '.': {}, 'f:containerPort': {} } },
                },
              },
            },
          },
        },
      },
    });
    expect(await cluster.kubectlOk(['get', 'deployment', 'web', '-o', 'yaml'])).not.toContain('managedFields');
  });

  it('shows what an apply would change, and changes nothing', async () => {
    const before = await fetched('web');
    const manifest = deployment('web', { replicas: 3 });
    const diff = await cluster.kubectl(['diff', '--server-side', '-f', '-'], { input: manifest });
    expect([diff.code, diff.stdout]).toEqual([1, expect.stringMatching(/^-\s+replicas: 2\n\+\s+replicas: 3$/m)]);
    const dry = await serverSide(manifest, '--dry-run=server');
    expect(dry.stdout).toBe('deployment.apps/web serverside-applied (server dry run)\n');
    expect((await fetched('web')).spec).toEqual(before.spec);
  });

  it('meets conflicts with who scaled, and takes the field by force', async () => {
    await cluster.kubectlOk(['scale', 'deployment', 'web', '--replicas=5']);
    const refused = await serverSide(deployment('web', { replicas: 3 }));
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain(
      'Apply failed with 1 conflict: conflict with "kubectl" with subresource "scale" using apps/v1: .spec.replicas',
    );
    expect((await serverSide(deployment('web', { replicas: 3 }), '--force-conflicts')).code).toBe(0);
    const { spec, ...object } = await fetched('web');
    expect(spec.replicas).toBe(3);
    expect(owners({ spec, ...object })).not.toContain('kubectl Update scale');
  });

  it('shares an object with another manager, and gives up what it states no more', async () => {
    const other = JSON.stringify({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web' },
      spec: { replicas: 3, minReadySeconds: 7 },
    });
    expect((await serverSide(other, '--field-manager=other')).code).toBe(0);
    const { replicas: _dropped, ...rest } = (JSON.parse(deployment('web')) as { spec: { replicas: number } }).spec;
    await serverSide(deployment('web', { ...rest, replicas: undefined }));
    expect((await fetched('web')).spec).toMatchObject({ replicas: 3, minReadySeconds: 7 });
    await serverSide(
      JSON.stringify({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' } }),
      '--field-manager=other',
    );
    const { spec } = await fetched('web');
    expect(spec).not.toHaveProperty('minReadySeconds');
    expect(spec.replicas).toBe(1);
  });

  it('takes over from client-side apply', async () => {
    await cluster.apply(deployment('old'));
    expect(owners(await fetched('old'))).toContain('kubectl-client-side-apply Update');
    const container = { name: 'web', image: 'example/web:2' };
    const template = { metadata: { labels: { app: 'old' } }, spec: { containers: [container] } };
    const applied = await serverSide(deployment('old', { template }));
    expect([applied.code, applied.stderr]).toEqual([0, '']);
    const migrated = await fetched('old');
    expect(migrated.spec.template.spec.containers).toMatchObject([{ image: 'example/web:2' }]);
    // The port was applied by the client and is stated no more.
    expect(migrated.spec.template.spec.containers[0]).not.toHaveProperty('ports');
    expect(owners(migrated)).not.toContain('kubectl-client-side-apply Update');
  });

  it('is what wherry’s own apply does too, and takes over from its client-side one', async () => {
    const own = (manifest: string, ...args: readonly string[]) =>
      cluster.wherry(['apply', '-f', '-', ...args], { input: manifest });
    await own(deployment('own'));
    const applied = await own(deployment('own', { replicas: 2 }), '--server-side');
    expect([applied.code, applied.stdout]).toEqual([0, 'deployment.apps/own serverside-applied\n']);
    expect(owners(await fetched('own'))).toContain('wherry Apply');
    expect(owners(await fetched('own'))).not.toContain('wherry-client-side-apply Update');
    const refused = await own(deployment('own', { replicas: 3 }), '--server-side', '--field-manager=other');
    expect([refused.code, refused.stderr]).toEqual([
      1,
      expect.stringContaining('Apply failed with 1 conflict: conflict with "wherry": .spec.replicas'),
    ]);
    await own(deployment('own', { replicas: 3 }), '--server-side', '--field-manager=other', '--force-conflicts');
    expect((await fetched('own')).spec.replicas).toBe(3);
  });

  it('explains what does not fit', async () => {
    const wrong = JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c' }, data: { a: 1 } });
    expect((await serverSide(wrong)).stderr).toContain(
      'failed to create typed patch object (default/c; /v1, Kind=ConfigMap): .data.a: expected string, got &value.valueUnstructured{Value:1}',
    );
  });
});
