import type { ManagedFieldsEntry } from '@wherry/api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Peek,
  type RequestOptions,
  startTestServer,
  type TestResponse,
  type TestServer,
} from '../testing/test-server.ts';

let api: TestServer;
beforeAll(async () => {
  api = await startTestServer();
  await api.request('POST', `${core}/serviceaccounts`, { body: { metadata: { name: 'default' } } });
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
});

const core = '/api/v1/namespaces/default';
const deployments = '/apis/apps/v1/namespaces/default/deployments';

const apply = (target: string, body: unknown, query = '', options: RequestOptions = {}): Promise<TestResponse> =>
  api.request('PATCH', `${target}?${query.includes('fieldManager') ? '' : 'fieldManager=test&'}${query}`, {
    ...(typeof body === 'string' ? { rawBody: body } : { body }),
    contentType: 'application/apply-patch+yaml',
    ...options,
  });
const patch = (target: string, body: unknown, type = 'merge', headers = {}) =>
  api.request('PATCH', target, { body, contentType: `application/${type}-patch+json`, headers });

const configMap = (name: string, data: Record<string, string>, metadata = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, ...metadata },
  data,
});
const template = {
  metadata: { labels: { app: 'web' } },
  spec: { containers: [{ name: 'web', image: 'web:1', ports: [{ containerPort: 80 }] }] },
};
const deployment = (name: string, spec: object = {}) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name },
  spec: { replicas: 1, selector: { matchLabels: { app: 'web' } }, template, ...spec },
});
const entries = (object: Peek): readonly ManagedFieldsEntry[] => object.metadata?.managedFields ?? [];
const owners = (object: Peek) =>
  entries(object).map(({ manager, operation, subresource = '', fieldsV1 }) => [
    `${manager} ${operation} ${subresource}`.trim(),
    JSON.stringify(fieldsV1),
  ]);
const managers = (object: Peek) => owners(object).map(([who]) => who);

describe('who owns what after other writes', () => {
  it('a create gives all fields to the program that sent it, or to whom it names', async () => {
    const made = await api.request('POST', `${core}/configmaps`, {
      body: configMap('made', { a: '1' }, { labels: { x: 'y' } }),
      headers: { 'user-agent': 'kubectl/v1.35.0 (linux/amd64)' },
    });
    expect(entries(made.json)).toEqual([
      {
        manager: 'kubectl',
        operation: 'Update',
        apiVersion: 'v1',
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
        fieldsType: 'FieldsV1',
        fieldsV1: { 'f:data': { '.': {}, 'f:a': {} }, 'f:metadata': { 'f:labels': { '.': {}, 'f:x': {} } } },
      },
    ]);
    const named = await api.request('POST', `${core}/configmaps?fieldManager=kubectl-create`, {
      body: configMap('named', {}),
    });
    expect(managers(named.json)).toEqual([]);
    const unnamed = await api.request('POST', `${core}/configmaps`, { body: configMap('unnamed', { a: '1' }) });
    expect(managers(unnamed.json)).toEqual(['unknown Update']);
  });

  it('a pod’s creator owns what it gave and what was defaulted, not what admission added', async () => {
    const made = await api.request('POST', `${core}/pods?fieldManager=m`, {
      body: { metadata: { name: 'p' }, spec: { containers: [{ name: 'c', image: 'i' }] } },
    });
    expect(owners(made.json)).toEqual([
      [
        'm Update',
        JSON.stringify({
          'f:spec': {
            'f:containers': {
              'k:{"name":"c"}': {
                '.': {},
                'f:image': {},
                'f:imagePullPolicy': {},
                'f:name': {},
                'f:resources': {},
                'f:terminationMessagePath': {},
                'f:terminationMessagePolicy': {},
              },
            },
            'f:dnsPolicy': {},
            'f:enableServiceLinks': {},
            'f:restartPolicy': {},
            'f:schedulerName': {},
            'f:securityContext': {},
            'f:terminationGracePeriodSeconds': {},
          },
        }),
      ],
    ]);
  });

  it('status and object have writers of their own', async () => {
    await api.request('POST', `${deployments}?fieldManager=m`, { body: deployment('apart') });
    const status = await patch(`${deployments}/apart/status?fieldManager=c`, {
      metadata: { labels: { no: 'body' } },
      spec: { replicas: 9 },
      status: { replicas: 1 },
    });
    expect(owners(status.json)).toContainEqual(['c Update status', '{"f:status":{"f:replicas":{}}}']);
    expect(managers(status.json)).toEqual(['c Update status', 'm Update']);
  });

  it('a change takes a field, a removal frees it, and what says nothing new is not written', async () => {
    const target = `${core}/configmaps/moves`;
    await api.request('POST', `${core}/configmaps?fieldManager=one`, { body: configMap('moves', { a: '1', b: '1' }) });
    const changed = await patch(`${target}?fieldManager=two`, { data: { a: '2' } });
    expect(owners(changed.json)).toEqual([
      ['one Update', '{"f:data":{".":{},"f:b":{}}}'],
      ['two Update', '{"f:data":{"f:a":{}}}'],
    ]);
    const removed = await patch(`${target}?fieldManager=three`, { data: { a: null } });
    expect(owners(removed.json)).toEqual([['one Update', '{"f:data":{".":{},"f:b":{}}}']]);
    const same = await patch(`${target}?fieldManager=three`, { data: { b: '1' } });
    expect(same.json.metadata?.resourceVersion).toBe(removed.json.metadata?.resourceVersion);
  });

  it('remembers ten updaters, and the oldest as one', async () => {
    await api.request('POST', `${core}/configmaps?fieldManager=m0`, { body: configMap('many', { k0: 'v' }) });
    let json: Peek = {};
    for (let index = 1; index < 13; index += 1) {
      ({ json } = await patch(`${core}/configmaps/many?fieldManager=m${index}`, { data: { [`k${index}`]: 'v' } }));
    }
    expect(entries(json)).toHaveLength(10);
    expect(owners(json).find(([who]) => who === 'ancient-changes Update')?.[1]).toContain('"f:k0":{}');
  });

  it.each([
    ['[]', []],
    ['[{}]', [{}]],
  ])('forgets all owners when told so by %s', async (name, managedFields) => {
    const at = `forget-${name.length}`;
    await apply(`${core}/configmaps/${at}`, configMap(at, { a: '1' }));
    const { json } = await patch(`${core}/configmaps/${at}`, { metadata: { managedFields } });
    expect(json.metadata?.managedFields).toBeUndefined();
    const later = await patch(`${core}/configmaps/${at}`, { data: { b: '2' } });
    expect(later.json.metadata?.managedFields).toBeUndefined();
    const applied = await apply(`${core}/configmaps/${at}`, configMap(at, { b: '2' }));
    expect(managers(applied.json)).toEqual(['test Apply', 'before-first-apply Update']);
  });

  it('takes entries that clients rewrite, in order and without what it does not know', async () => {
    const { json } = await apply(`${core}/configmaps/rewritten`, configMap('rewritten', { a: '1', b: '2' }));
    const [entry] = entries(json);
    const fieldsV1 = { 'f:data': { 'f:b': {}, 'f:a': {} }, 'x:new': {} };
    const patched = await patch(
      `${core}/configmaps/rewritten`,
      [
        { op: 'replace', path: '/metadata/managedFields', value: [{ ...entry, manager: 'other', fieldsV1 }] },
        { op: 'replace', path: '/metadata/resourceVersion', value: json.metadata?.resourceVersion },
      ],
      'json',
    );
    expect(owners(patched.json)).toEqual([['other Apply', '{"f:data":{"f:a":{},"f:b":{}}}']]);
    const nonsense = await patch(`${core}/configmaps/rewritten`, { metadata: { managedFields: [{ manager: 'x' }] } });
    expect(owners(nonsense.json)).toEqual(owners(patched.json));
  });
});

describe('server-side apply', () => {
  it('creates with 201, changes with 200, and writes nothing the second time', async () => {
    const target = `${core}/configmaps/twice`;
    const first = await apply(target, configMap('twice', { a: '1' }));
    expect([first.status, managers(first.json)]).toEqual([201, ['test Apply']]);
    const again = await apply(target, configMap('twice', { a: '1' }));
    expect([again.status, again.json.metadata?.resourceVersion]).toEqual([200, first.json.metadata?.resourceVersion]);
    const changed = await apply(target, configMap('twice', { a: '2' }));
    expect([changed.status, changed.json.data]).toEqual([200, { a: '2' }]);
  });

  it('removes what it states no more, unless somebody else owns it', async () => {
    const target = `${core}/configmaps/dropped`;
    await apply(target, configMap('dropped', { a: '1', b: '1', c: '1' }));
    await apply(target, configMap('dropped', { b: '1' }), 'fieldManager=friend');
    await patch(`${target}?fieldManager=editor`, { data: { d: '1' } });
    const { json } = await apply(target, configMap('dropped', { a: '1' }));
    expect(json.data).toEqual({ a: '1', b: '1', d: '1' });
    expect(Object.fromEntries(owners(json))).toEqual({
      'friend Apply': '{"f:data":{"f:b":{}}}',
      'test Apply': '{"f:data":{"f:a":{}}}',
      'editor Update': '{"f:data":{"f:d":{}}}',
    });
  });

  it('refuses to take one field from another, in upstream’s words, and takes it by force', async () => {
    const target = `${deployments}/taken`;
    await api.request('POST', `${deployments}?fieldManager=kubectl-client-side-apply`, { body: deployment('taken') });
    const config = { ...deployment('taken'), spec: { replicas: 3 } };
    const refused = await apply(target, config);
    expect(refused.json).toEqual({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: 'Apply failed with 1 conflict: conflict with "kubectl-client-side-apply" using apps/v1: .spec.replicas',
      reason: 'Conflict',
      details: {
        causes: [
          {
            reason: 'FieldManagerConflict',
            message: 'conflict with "kubectl-client-side-apply" using apps/v1',
            field: '.spec.replicas',
          },
        ],
      },
      code: 409,
    });
    const forced = await apply(target, config, 'force=true');
    expect([forced.status, forced.json.spec?.['replicas']]).toEqual([200, 3]);
    expect(owners(forced.json)).toContainEqual(['test Apply', '{"f:spec":{"f:replicas":{}}}']);
    expect(owners(forced.json).find(([who]) => who?.startsWith('kubectl'))?.[1]).not.toContain('f:replicas');
  });

  it('names all conflicts, by manager', async () => {
    const target = `${core}/configmaps/several`;
    await apply(target, configMap('several', { a: '1', b: '1' }), 'fieldManager=one');
    await patch(`${target}?fieldManager=two`, { data: { c: '1' } });
    const { json } = await apply(target, configMap('several', { a: '2', b: '2', c: '2' }));
    expect(json.message).toBe(
      'Apply failed with 3 conflicts: conflicts with "one":\n- .data.a\n- .data.b\nconflicts with "two" using v1:\n- .data.c',
    );
    expect(json).toMatchObject({
      details: { causes: [{ field: '.data.a' }, { field: '.data.b' }, { field: '.data.c' }] },
    });
  });

  it('merges elements of lists by their keys, with defaulted ones, and drops its own', async () => {
    const target = `${deployments}/lists`;
    const ports = (...numbers: readonly number[]) => ({
      containers: [{ name: 'web', image: 'web:1', ports: numbers.map((containerPort) => ({ containerPort })) }],
    });
    const withSpec = (spec: object) => deployment('lists', { template: { ...template, spec } });
    await apply(target, withSpec(ports(80, 443)));
    await apply(
      target,
      {
        ...deployment('lists'),
        spec: {
          template: {
            spec: {
              containers: [
                { name: 'sidecar', image: 'side:1' },
                { name: 'web', ports: [{ containerPort: 80, name: 'http' }] },
              ],
            },
          },
        },
      },
      'fieldManager=sidecars',
    );
    const { json } = await apply(target, withSpec(ports(443)));
    const spec = json.spec as {
      template: { spec: { containers: readonly { name: string; ports?: readonly object[] }[] } };
    };
    expect(spec.template.spec.containers).toMatchObject(
      [
        { name: 'web', ports: [{ containerPort: 80, name: 'http', protocol: 'TCP' }, { containerPort: 443 }] },
        { name: 'sidecar' },
      ].toSorted((one) => (one.name === spec.template.spec.containers[0]?.name ? -1 : 1)),
    );
  });

  it('goes on where an older kubectl ended, and keeps its annotation true', async () => {
    const target = `${core}/configmaps/migrated`;
    const annotation = 'kubectl.kubernetes.io/last-applied-configuration';
    const applied = JSON.stringify(
      configMap('migrated', { a: '1', b: '1' }, { annotations: {}, namespace: 'default' }),
    );
    await api.request('POST', `${core}/configmaps?fieldManager=kubectl-client-side-apply`, {
      body: configMap('migrated', { a: '1', b: '1' }, { annotations: { [annotation]: applied } }),
    });
    const other = await apply(target, configMap('migrated', { a: '2' }), 'fieldManager=other');
    expect(other.status).toBe(409);
    const { status, json } = await apply(target, configMap('migrated', { a: '2', b: '1' }), 'fieldManager=kubectl');
    expect([status, json.data]).toEqual([200, { a: '2', b: '1' }]);
    expect(json.metadata?.annotations?.[annotation]).toBe(
      '{"apiVersion":"v1","data":{"a":"2","b":"1"},"kind":"ConfigMap","metadata":{"name":"migrated"}}\n',
    );
    await patch(`${target}?fieldManager=editor`, { data: { a: '3' } });
    const edited = await apply(target, configMap('migrated', { a: '4', b: '1' }), 'fieldManager=kubectl');
    expect([edited.status, edited.json.message]).toEqual([
      409,
      'Apply failed with 1 conflict: conflict with "editor" using v1: .data.a',
    ]);
  });

  it('applies status through its subresource, and only that', async () => {
    const target = `${deployments}/status`;
    await apply(target, deployment('status'));
    const body = { ...deployment('status', { replicas: 5 }), status: { observedGeneration: 1 } };
    const { json } = await apply(`${target}/status`, body, 'fieldManager=c');
    expect(json).toMatchObject({ spec: { replicas: 1 }, status: { observedGeneration: 1 } });
    expect(owners(json)).toContainEqual(['c Apply status', '{"f:status":{"f:observedGeneration":{}}}']);
    const missing = await apply(`${deployments}/nobody/status`, { ...body, metadata: { name: 'nobody' } });
    expect(missing.status).toBe(404);
  });

  it('hands replicas over between the object and its scale', async () => {
    const target = `${deployments}/scaled`;
    const ownersOfReplicas = async () => {
      const { json } = await api.request('GET', target);
      return owners(json)
        .filter(([, fields]) => fields?.includes('f:replicas'))
        .map(([who]) => who);
    };
    const scaleTo = (replicas: number) => ({
      apiVersion: 'autoscaling/v1',
      kind: 'Scale',
      metadata: { name: 'scaled', namespace: 'default' },
      spec: { replicas },
    });
    await apply(target, deployment('scaled'));
    await patch(`${target}/scale?fieldManager=scaler`, { spec: { replicas: 5 } });
    expect(await ownersOfReplicas()).toEqual(['scaler Update scale']);
    expect((await apply(target, deployment('scaled'))).status).toBe(409);
    await apply(target, deployment('scaled'), 'force=true');
    expect(await ownersOfReplicas()).toEqual(['test Apply']);
    const refused = await apply(`${target}/scale`, scaleTo(17), 'fieldManager=hpa');
    expect([refused.status, refused.json.message]).toEqual([
      409,
      'Apply failed with 1 conflict: conflict with "test": .spec.replicas',
    ]);
    const forced = await apply(`${target}/scale`, scaleTo(17), 'fieldManager=hpa&force=true');
    expect([forced.status, forced.json.spec]).toEqual([200, { replicas: 17 }]);
    expect(await ownersOfReplicas()).toEqual(['hpa Apply scale']);
    await api.request('PUT', `${target}/scale?fieldManager=putter`, { body: scaleTo(7) });
    expect(await ownersOfReplicas()).toEqual(['putter Update scale']);
    await apply(`${target}/scale`, scaleTo(7), 'fieldManager=hpa');
    expect(await ownersOfReplicas()).toEqual(['hpa Apply scale', 'putter Update scale']);
    await patch(`${target}/scale?fieldManager=scaler`, { status: { replicas: 42 } });
    expect(await ownersOfReplicas()).toEqual(['hpa Apply scale', 'putter Update scale']);
  });

  it('knows owners that speak another version', async () => {
    const target = '/namespaces/default/horizontalpodautoscalers/versions';
    const v2 = {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: 'versions' },
      spec: {
        minReplicas: 1,
        maxReplicas: 3,
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd' },
      },
    };
    expect((await apply(`/apis/autoscaling/v2${target}`, v2)).status).toBe(201);
    const v1 = { ...v2, apiVersion: 'autoscaling/v1', spec: { maxReplicas: 5 } };
    const refused = await apply(`/apis/autoscaling/v1${target}`, v1, 'fieldManager=other');
    expect([refused.status, refused.json.message]).toEqual([
      409,
      'Apply failed with 1 conflict: conflict with "test": .spec.maxReplicas',
    ]);
    const { json } = await apply(`/apis/autoscaling/v1${target}`, { ...v1, spec: { ...v2.spec, maxReplicas: 5 } });
    expect(entries(json)).toMatchObject([{ manager: 'test', operation: 'Apply', apiVersion: 'autoscaling/v1' }]);
    const fewer = await apply(`/apis/autoscaling/v2${target}`, {
      ...v2,
      spec: { maxReplicas: 5, scaleTargetRef: v2.spec.scaleTargetRef },
    });
    expect([fewer.status, fewer.json.spec?.['minReplicas'], entries(fewer.json).length]).toEqual([200, 1, 1]);
  });

  it('does nothing on a dry run', async () => {
    const target = `${core}/configmaps/dry`;
    expect((await apply(target, configMap('dry', { a: '1' }), 'dryRun=All')).status).toBe(201);
    expect((await api.request('GET', target)).status).toBe(404);
  });

  it('needs the right to create what is not there', async () => {
    const user = { name: 'patcher', groups: [] };
    await api.request('POST', `/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles`, {
      body: {
        metadata: { name: 'patcher' },
        rules: [{ apiGroups: [''], resources: ['configmaps'], verbs: ['patch'] }],
      },
    });
    await api.request('POST', `/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings`, {
      body: {
        metadata: { name: 'patcher' },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'patcher' },
        subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'patcher' }],
      },
    });
    const { status, json } = await apply(`${core}/configmaps/rights`, configMap('rights', {}), '', { user });
    expect([status, json.message]).toEqual([403, expect.stringContaining('cannot create resource "configmaps"')]);
  });

  const yaml = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c\ndata:\n  a: "1"\n  a: "2"\n';
  it.each<readonly [string, unknown, string, number, string]>([
    [
      'no manager',
      configMap('c', {}),
      'fieldManager=',
      422,
      'fieldManager: Required value: is required for apply patch',
    ],
    [
      'a manager that cannot be shown',
      configMap('c', {}),
      'fieldManager=a%07',
      422,
      'invalid character U+0007 (at position 1)',
    ],
    [
      'a manager too long',
      configMap('c', {}),
      `fieldManager=${'m'.repeat(129)}`,
      422,
      'Too long: may not be more than 128 bytes',
    ],
    ['text that is no YAML', 'a: [', '', 400, 'error decoding YAML'],
    ['a list', '- a', '', 400, 'error decoding YAML'],
    ['no kind', {}, '', 400, 'invalid object type: /, Kind='],
    ['another kind', deployment('c'), '', 400, 'invalid object type: apps/v1, Kind=Deployment'],
    ['managedFields', configMap('c', {}, { managedFields: [] }), '', 400, 'metadata.managedFields must be nil'],
    ['another name', configMap('d', {}), '', 400, 'the name of the object (d) does not match the name on the URL (c)'],
    [
      'a field that is not known',
      { ...configMap('c', {}), spec: 1 },
      '',
      400,
      'failed to create typed patch object (/c; /v1, Kind=ConfigMap): .spec: field not declared in schema',
    ],
    [
      'a value of the wrong type',
      configMap('c', { a: 1 as unknown as string }, { namespace: 'default' }),
      '',
      400,
      'failed to create typed patch object (default/c; /v1, Kind=ConfigMap): .data.a: expected string, got &value.valueUnstructured{Value:1}',
    ],
    ['keys that stand twice, strictly', yaml, 'fieldValidation=Strict', 400, 'error strict decoding YAML: '],
  ])('refuses %s', async (_name, body, query, status, message) => {
    const answer = await apply(`${core}/configmaps/c`, body, query);
    expect([answer.status, answer.json.message]).toEqual([status, expect.stringContaining(message)]);
  });

  it('warns of keys that stand twice', async () => {
    const answer = await apply(`${core}/configmaps/c`, yaml);
    expect([answer.status, answer.json.data]).toEqual([201, { a: '2' }]);
    expect(String(answer.headers['warning'])).toContain('duplicated mapping key');
  });

  it('refuses elements that stand twice', async () => {
    const port = { containerPort: 80 };
    const spec = { containers: [{ name: 'web', image: 'i', ports: [port, { ...port, protocol: 'TCP' }] }] };
    const { json } = await apply(`${deployments}/c`, deployment('c', { template: { ...template, spec } }));
    expect(json.message).toBe(
      'failed to create typed patch object (/c; apps/v1, Kind=Deployment): .spec.template.spec.containers[name="web"].ports: duplicate entries for key [containerPort=80,protocol="TCP"]',
    );
  });

  it('keeps force for apply', async () => {
    const { status, json } = await patch(`${core}/configmaps/c?force=true`, {});
    expect([status, json.message]).toEqual([422, expect.stringContaining('may not be specified for non-apply patch')]);
  });
});
