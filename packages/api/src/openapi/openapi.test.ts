import { describe, expect, it } from 'vitest';
import { openApiV2Document } from './v2.ts';
import { openApiV3Document, openApiV3Index } from './v3.ts';

/** Every `$ref` of a document, wherever it stands. */
function references(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) =>
    key === '$ref' && typeof item === 'string' ? [item] : references(item),
  );
}

function at(value: unknown, ...path: string[]): unknown {
  return path.reduce<unknown>((current, key) => (current as Record<string, unknown> | undefined)?.[key], value);
}

describe('OpenAPI v3', () => {
  const paths = Object.keys(openApiV3Index().paths);
  const apps = openApiV3Document('apis/apps/v1');
  const core = openApiV3Document('api/v1');

  it('lists a document per group and version', () => {
    expect(paths).toContain('api/v1');
    expect(paths).toContain('apis/apps/v1');
    expect(openApiV3Index().paths['apis/apps/v1']?.serverRelativeURL).toMatch(
      /^\/openapi\/v3\/apis\/apps\/v1\?hash=[0-9A-F]{16}$/,
    );
    expect(openApiV3Document('apis/none/v1')).toBeUndefined();
  });

  it('has a schema for every reference of every document', () => {
    for (const path of paths) {
      const document = openApiV3Document(path);
      const schemas = at(document, 'components', 'schemas') as object;
      for (const reference of references(at(document, 'paths')).concat(references(schemas))) {
        expect(schemas).toHaveProperty([reference.replace('#/components/schemas/', '')]);
      }
    }
  });

  it('has unique operation ids', () => {
    const ids = [...JSON.stringify(core).matchAll(/"operationId":"(\w+)"/g)].map((found) => found[1]);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toContain('createCoreV1NamespacedPodBinding');
    expect(ids).toContain('connectCoreV1GetNamespacedPodExec');
    expect(ids).toContain('listCoreV1PodForAllNamespaces');
    expect(ids).toContain('readCoreV1NamespacedPodLog');
  });

  it('lets kubectl see that a kind validates fields and runs dry', () => {
    const patch = at(apps, 'paths', '/apis/apps/v1/namespaces/{namespace}/deployments/{name}', 'patch');
    const names = (at(patch, 'parameters') as { name: string }[]).map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['dryRun', 'fieldManager', 'fieldValidation']));
    expect(at(patch, 'x-kubernetes-group-version-kind')).toEqual({ group: 'apps', version: 'v1', kind: 'Deployment' });
    expect(at(patch, 'x-kubernetes-action')).toBe('patch');
  });

  it('answers what upstream answers to a delete', () => {
    const answer = (path: string): unknown =>
      at(core, 'paths', path, 'delete', 'responses', '200', 'content', 'application/json', 'schema', '$ref');
    expect(answer('/api/v1/namespaces/{namespace}/pods/{name}')).toBe('#/components/schemas/io.k8s.api.core.v1.Pod');
    expect(answer('/api/v1/namespaces/{namespace}/secrets/{name}')).toMatch(/meta\.v1\.Status$/);
  });

  it('prints facts as schemas', () => {
    const schemas = at(core, 'components', 'schemas');
    expect(at(schemas, 'io.k8s.api.core.v1.PodSpec', 'properties', 'containers')).toEqual({
      type: 'array',
      items: { allOf: [{ $ref: '#/components/schemas/io.k8s.api.core.v1.Container' }], default: {} },
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
      'x-kubernetes-patch-merge-key': 'name',
      'x-kubernetes-patch-strategy': 'merge',
    });
    expect(at(schemas, 'io.k8s.api.core.v1.ContainerPort', 'properties', 'protocol')).toEqual({
      type: 'string',
      default: 'TCP',
    });
    expect(at(schemas, 'io.k8s.api.core.v1.Pod', 'x-kubernetes-group-version-kind')).toEqual([
      { group: '', kind: 'Pod', version: 'v1' },
    ]);
    expect(at(schemas, 'io.k8s.apimachinery.pkg.util.intstr.IntOrString')).toEqual({
      format: 'int-or-string',
      oneOf: [{ type: 'integer' }, { type: 'string' }],
    });
  });
});

describe('OpenAPI v2', () => {
  const document = openApiV2Document('v1.35.0');

  it('has a definition for every reference', () => {
    const definitions = at(document, 'definitions') as object;
    for (const reference of references(document)) {
      expect(definitions).toHaveProperty([reference.replace('#/definitions/', '')]);
    }
  });

  it('carries patch extensions and bodies', () => {
    expect(at(document, 'definitions', 'io.k8s.api.core.v1.ServiceSpec', 'properties', 'ports')).toMatchObject({
      'x-kubernetes-patch-merge-key': 'port',
      'x-kubernetes-patch-strategy': 'merge',
      'x-kubernetes-list-map-keys': ['port', 'protocol'],
    });
    const create = at(document, 'paths', '/apis/apps/v1/namespaces/{namespace}/deployments', 'post', 'parameters');
    expect(create).toContainEqual({
      name: 'body',
      in: 'body',
      required: true,
      schema: { $ref: '#/definitions/io.k8s.api.apps.v1.Deployment' },
    });
  });
});
