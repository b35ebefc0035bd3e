import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../testing/test-server.ts';

const base = '/api/v1/namespaces/default/configmaps';
let api: TestServer;

beforeAll(async () => {
  api = await startTestServer();
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
});

const configMap = (name: string, data: Record<string, string> = { a: '1' }) => ({ metadata: { name }, data });
const create = (body: unknown, query = '') => api.request('POST', `${base}${query}`, { body });

describe('create', () => {
  it('answers 201 with what only the server sets', async () => {
    const { status, json } = await create(configMap('new'));
    expect(status).toBe(201);
    expect(json).toMatchObject({
      kind: 'ConfigMap',
      apiVersion: 'v1',
      metadata: { name: 'new', namespace: 'default' },
    });
    expect(json.metadata?.uid).toMatch(/^[0-9a-f-]{36}$/);
    expect(Number(json.metadata?.resourceVersion)).toBeGreaterThan(1);
  });

  it('refuses a name that is taken', async () => {
    await create(configMap('taken'));
    const { status, json } = await create(configMap('taken'));
    expect([status, json.reason, json.message]).toEqual([409, 'AlreadyExists', 'configmaps "taken" already exists']);
  });

  it('makes names', async () => {
    const names = await Promise.all(
      [1, 2].map(async () => (await create({ metadata: { generateName: 'gen-' } })).json.metadata?.name),
    );
    expect(names[0]).toMatch(/^gen-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
    expect(names[0]).not.toBe(names[1]);
  });

  it.each<[string, unknown, number, string]>([
    ['a missing name', {}, 422, 'name or generateName is required'],
    ['a bad name', configMap('A_'), 422, 'metadata.name: Invalid value'],
    ['a bad label', { metadata: { name: 'x', labels: { '-': 'y' } } }, 422, 'metadata.labels'],
    [
      'another kind',
      { kind: 'Pod', apiVersion: 'v1', metadata: { name: 'x' } },
      400,
      'cannot be handled as a ConfigMap',
    ],
    [
      'another version',
      { kind: 'ConfigMap', apiVersion: 'v2', metadata: { name: 'x' } },
      400,
      'does not match the expected API version (v1)',
    ],
    [
      'another namespace',
      { metadata: { name: 'x', namespace: 'kube-system' } },
      400,
      'does not match the namespace sent on the request',
    ],
    ['a resourceVersion', { metadata: { name: 'x', resourceVersion: '1' } }, 400, 'resourceVersion should not be set'],
    ['a wrong type', { metadata: { name: 'x' }, data: { a: 1 } }, 400, 'cannot unmarshal number'],
    ['a list', [], 400, 'cannot unmarshal array'],
  ])('refuses %s', async (_name, body, code, message) => {
    const { status, json } = await create(body);
    expect([status, json.message]).toEqual([code, expect.stringContaining(message)]);
  });

  it('names every unknown and repeated field when asked to be strict, warns by default', async () => {
    const rawBody = '{"metadata":{"name":"strict"},"data":{"a":"1","a":"2"},"foo":1}';
    const strict = await api.request('POST', `${base}?fieldValidation=Strict`, { rawBody });
    expect([strict.status, strict.json.message]).toEqual([
      400,
      expect.stringMatching(/strict decoding error:.*unknown field "foo"/),
    ]);
    expect(strict.json.message).toContain('duplicate field "data.a"');
    const warned = await api.request('POST', base, { rawBody });
    expect(warned.status).toBe(201);
    expect(String(warned.headers['warning'])).toContain('299 - "unknown field \\"foo\\""');
  });

  it('refuses malformed JSON, other media types and bodies beyond the limit', async () => {
    expect((await api.request('POST', base, { rawBody: '{' })).status).toBe(400);
    expect((await api.request('POST', base, { rawBody: '{}', contentType: 'text/plain' })).status).toBe(415);
    expect((await api.request('POST', base, { rawBody: Buffer.alloc(3 * 1024 * 1024 + 1, 0x20) })).status).toBe(413);
  });

  it('takes YAML', async () => {
    const rawBody = 'metadata: {name: yaml}\ndata:\n  a: "1"\n';
    expect((await api.request('POST', base, { rawBody, contentType: 'application/yaml' })).status).toBe(201);
    const bad = await api.request('POST', base, { rawBody: 'a: [', contentType: 'application/yaml' });
    expect(bad.status).toBe(400);
  });

  it('stores nothing in a dry run, but refuses what a real one would', async () => {
    const { status, json } = await create(configMap('dry'), '?dryRun=All');
    expect([status, json.metadata?.name]).toEqual([201, 'dry']);
    expect((await api.request('GET', `${base}/dry`)).status).toBe(404);
    await create(configMap('dry'));
    expect((await create(configMap('dry'), '?dryRun=All')).status).toBe(409);
    expect((await create(configMap('x'), '?dryRun=Some')).status).toBe(422);
  });

  it('refuses namespaces that are missing or going away', async () => {
    const missing = await api.request('POST', '/api/v1/namespaces/nowhere/configmaps', { body: configMap('x') });
    expect([missing.status, missing.json.message]).toEqual([404, 'namespaces "nowhere" not found']);
    await api.request('POST', '/api/v1/namespaces', { body: { metadata: { name: 'ending' } } });
    const gone = await api.request('DELETE', '/api/v1/namespaces/ending');
    expect(gone.json).toMatchObject({ status: { phase: 'Terminating' } });
    const late = await api.request('POST', '/api/v1/namespaces/ending/configmaps', { body: configMap('x') });
    expect([late.status, late.json.message]).toEqual([403, expect.stringContaining('because it is being terminated')]);
    const finalized = await api.request('PUT', '/api/v1/namespaces/ending/finalize', {
      body: { ...gone.json, spec: { finalizers: [] } },
    });
    expect(finalized.status).toBe(200);
    expect((await api.request('GET', '/api/v1/namespaces/ending')).status).toBe(404);
  });
});

describe('update', () => {
  it('replaces, refuses an old resourceVersion, and does without one', async () => {
    const first = (await create(configMap('up'))).json;
    const second = await api.request('PUT', `${base}/up`, { body: { ...first, data: { a: '2' } } });
    expect([second.status, second.json.data]).toEqual([200, { a: '2' }]);
    const stale = await api.request('PUT', `${base}/up`, { body: { ...first, data: { a: '3' } } });
    expect([stale.status, stale.json.reason, stale.json.message]).toEqual([
      409,
      'Conflict',
      'Operation cannot be fulfilled on configmaps "up": the object has been modified; please apply your changes to the latest version and try again',
    ]);
    expect((await api.request('PUT', `${base}/up`, { body: configMap('up', { a: '4' }) })).status).toBe(200);
  });

  it('writes nothing when nothing changed', async () => {
    const { json } = await create(configMap('same'));
    const again = await api.request('PUT', `${base}/same`, { body: json });
    expect(again.json.metadata?.resourceVersion).toBe(json.metadata?.resourceVersion);
  });

  it('refuses another uid, another name, and objects that are not there', async () => {
    await create(configMap('id'));
    const uid = await api.request('PUT', `${base}/id`, { body: { metadata: { name: 'id', uid: 'other' } } });
    expect([uid.status, uid.json.message]).toEqual([
      409,
      expect.stringContaining('Precondition failed: UID in precondition: other'),
    ]);
    expect((await api.request('PUT', `${base}/id`, { body: configMap('di') })).status).toBe(400);
    expect((await api.request('PUT', `${base}/none`, { body: configMap('none') })).status).toBe(404);
  });

  it('creates what may be created by PUT', async () => {
    const body = { metadata: { name: 'l' }, spec: { holderIdentity: 'a', leaseDurationSeconds: 5 } };
    const target = '/apis/coordination.k8s.io/v1/namespaces/default/leases/l';
    const made = await api.request('PUT', target, { body });
    expect(made.status).toBe(201);
    const renewed = { ...made.json, spec: { ...body.spec, holderIdentity: 'b' } };
    expect((await api.request('PUT', target, { body: renewed })).status).toBe(200);
    expect((await api.request('PUT', target, { body })).json.message).toContain('must be specified for an update');
  });

  it('counts generations of the specification only, and keeps status and specification apart', async () => {
    const labels = { app: 'g' };
    const template = { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'i' }] } };
    const target = '/apis/apps/v1/namespaces/default/deployments';
    const body = {
      metadata: { name: 'g' },
      spec: { replicas: 1, selector: { matchLabels: labels }, template },
      status: { replicas: 9 },
    };
    const made = (await api.request('POST', target, { body })).json;
    expect(made.metadata?.generation).toBe(1);
    expect(made.status).not.toMatchObject({ replicas: 9 });
    const labelled = await api.request('PATCH', `${target}/g`, {
      body: { metadata: { labels: { x: 'y' } } },
      contentType: 'application/merge-patch+json',
    });
    expect(labelled.json.metadata?.generation).toBe(1);
    const scaled = await api.request('PATCH', `${target}/g`, {
      body: { spec: { replicas: 2 }, status: { replicas: 7 } },
      contentType: 'application/merge-patch+json',
    });
    expect([scaled.json.metadata?.generation, scaled.json.spec?.['replicas']]).toEqual([2, 2]);
    expect(scaled.json.status).not.toMatchObject({ replicas: 7 });
    const status = await api.request('PATCH', `${target}/g/status`, {
      body: { spec: { replicas: 5 }, status: { replicas: 7 } },
      contentType: 'application/merge-patch+json',
    });
    expect(status.json).toMatchObject({ metadata: { generation: 2 }, spec: { replicas: 2 }, status: { replicas: 7 } });
  });
});

describe('patch', () => {
  const patch = (name: string, body: unknown, type: string) =>
    api.request('PATCH', `${base}/${name}`, { body, contentType: `application/${type}-patch+json` });

  it('knows three kinds beside server-side apply, and no others', async () => {
    await create(configMap('p'));
    expect((await patch('p', { data: { b: '2' } }, 'merge')).json.data).toEqual({ a: '1', b: '2' });
    expect((await patch('p', { data: { a: null } }, 'strategic-merge')).json.data).toEqual({ b: '2' });
    expect((await patch('p', [{ op: 'add', path: '/data/c', value: '3' }], 'json')).json.data).toEqual({
      b: '2',
      c: '3',
    });
    const cbor = await api.request('PATCH', `${base}/p?fieldManager=x`, {
      rawBody: '{}',
      contentType: 'application/apply-patch+cbor',
    });
    expect([cbor.status, cbor.json.reason, cbor.json.message]).toEqual([
      415,
      'UnsupportedMediaType',
      'the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/strategic-merge-patch+json, application/apply-patch+yaml',
    ]);
  });

  it('answers 422 to a patch that does not fit, 409 to an old resourceVersion', async () => {
    await create(configMap('q'));
    expect((await patch('q', [{ op: 'test', path: '/data/a', value: 'x' }], 'json')).status).toBe(422);
    expect((await patch('q', { metadata: { resourceVersion: '1' } }, 'merge')).status).toBe(409);
    expect((await patch('none', {}, 'merge')).status).toBe(404);
  });

  it('loses none of many concurrent patches', async () => {
    await create(configMap('many', {}));
    await Promise.all(
      Array.from({ length: 20 }, (_, index) => patch('many', { data: { [`k${index}`]: 'v' } }, 'merge')),
    );
    const { json } = await api.request('GET', `${base}/many`);
    expect(Object.keys(json.data ?? {})).toHaveLength(20);
  });
});
