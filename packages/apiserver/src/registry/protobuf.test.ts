import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeProtobuf } from '../http/protobuf/decode.ts';
import { encodeObject } from '../http/protobuf/encode.ts';
import { ProtobufClient } from '../testing/protobuf-client.ts';
import { startTestServer, type TestServer } from '../testing/test-server.ts';

const base = '/api/v1/namespaces/default/configmaps';
const protobuf = 'application/vnd.kubernetes.protobuf';
const metadataOf = (form: string) => `${protobuf};as=${form};g=meta.k8s.io;v=v1`;
let api: TestServer;
let client: ProtobufClient;

beforeAll(async () => {
  api = await startTestServer();
  client = new ProtobufClient(api);
  // Pods wait for their account when there is none.
  await api.request('POST', '/api/v1/namespaces/default/serviceaccounts', { body: { metadata: { name: 'default' } } });
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
});

const configMap = (name: string, data: Record<string, string> = { key: 'value' }) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, labels: { b: '2', a: '1' } },
  data,
});

describe('objects in protobuf', () => {
  it('go through their whole life', async () => {
    const created = await client.request('POST', base, configMap('life'));
    expect([created.status, created.contentType]).toEqual([201, protobuf]);
    expect(created.object).toMatchObject({ kind: 'ConfigMap', apiVersion: 'v1', data: { key: 'value' } });
    const read = await client.request('GET', `${base}/life`);
    expect(read.bytes.equals(created.bytes)).toBe(true);
    const plain = await api.request('GET', `${base}/life`);
    expect(read.object).toEqual(plain.json);
    const updated = await client.request('PUT', `${base}/life`, { ...read.object, data: { key: 'other' } });
    expect(updated.object).toMatchObject({ data: { key: 'other' } });
    const patched = await api.request('PATCH', `${base}/life`, {
      body: { data: { more: 'yes' } },
      contentType: 'application/merge-patch+json',
      headers: { accept: protobuf },
    });
    expect([patched.status, patched.headers['content-type']]).toEqual([200, protobuf]);
    const refused = await client.request('DELETE', `${base}/life`, {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      preconditions: { uid: 'another' },
    });
    expect([refused.status, refused.contentType, refused.object.reason]).toEqual([409, protobuf, 'Conflict']);
    const deleted = await client.request('DELETE', `${base}/life`, { apiVersion: 'v1', kind: 'DeleteOptions' });
    expect(deleted.object).toMatchObject({ kind: 'Status', status: 'Success', details: { name: 'life' } });
    const gone = await client.request('GET', `${base}/life`);
    expect(gone.object).toMatchObject({
      kind: 'Status',
      apiVersion: 'v1',
      status: 'Failure',
      message: 'configmaps "life" not found',
      reason: 'NotFound',
      code: 404,
    });
  });

  it('come in the version of the path', async () => {
    const scaler = {
      apiVersion: 'autoscaling/v1',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: 'web' },
      spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }, maxReplicas: 3 },
    };
    const path = '/namespaces/default/horizontalpodautoscalers';
    await client.request('POST', `/apis/autoscaling/v1${path}`, {
      ...scaler,
      spec: { ...scaler.spec, targetCPUUtilizationPercentage: 70 },
    });
    const old = await client.request('GET', `/apis/autoscaling/v1${path}/web`);
    expect(old.object).toMatchObject({ apiVersion: 'autoscaling/v1', spec: { targetCPUUtilizationPercentage: 70 } });
    const list = await client.request('GET', `/apis/autoscaling/v1${path}`);
    expect(list.object.items).toMatchObject([{ spec: { targetCPUUtilizationPercentage: 70 } }]);
    const present = await client.request('GET', `/apis/autoscaling/v2${path}/web`);
    expect(present.object).toMatchObject({ apiVersion: 'autoscaling/v2', spec: { metrics: [{ type: 'Resource' }] } });
  });

  it('answers reviews and subresources', async () => {
    const review = await client.request('POST', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      spec: { resourceAttributes: { verb: 'get', resource: 'pods' } },
    });
    expect([review.status, review.contentType]).toEqual([201, protobuf]);
    expect(review.object.status).toMatchObject({ allowed: true });
    const who = await client.request('POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'SelfSubjectReview',
    });
    expect(who.object.status).toMatchObject({ userInfo: { username: 'kubernetes-admin' } });
  });
});

describe('bodies in protobuf', () => {
  it('may leave their kind to the path', async () => {
    const answer = await api.request('POST', base, {
      rawBody: Buffer.from('k8s\0\x0a\x00\x12\x09\x0a\x07\x0a\x05plain\x1a\x00\x22\x00'),
      contentType: protobuf,
    });
    expect([answer.status, answer.json.metadata?.name]).toEqual([201, 'plain']);
  });

  it.each([
    [
      '{"a":1}',
      'the object provided is unrecognized (must be of type ConfigMap): provided data does not appear to be a protobuf message, expected prefix [107 56 115 0] ({"a":1})',
    ],
    [
      'abc',
      'the object provided is unrecognized (must be of type ConfigMap): provided data does not appear to be a protobuf message, expected prefix [107 56 115 0] (616263)',
    ],
    [
      'k8s\0\x0a\x0f\x0a\x02v1\x12\x09ConfigMap\x12\x02\x0a\x50',
      'ConfigMap in version "v1" cannot be handled as a ConfigMap: unexpected EOF',
    ],
    [
      'k8s\0\x0a\x0a\x0a\x02v1\x12\x04Nope\x12\x00',
      'Nope in version "v1" cannot be handled as a ConfigMap: no kind "Nope" is registered for version "v1" in scheme "pkg/api/legacyscheme/scheme.go:30"',
    ],
    [
      'k8s\0\x0a\x0c\x0a\x02v1\x12\x06Secret\x12\x00',
      'Secret in version "v1" cannot be handled as a ConfigMap: converting (v1.Secret) to (core.ConfigMap): unknown conversion',
    ],
  ])('%j is a bad request', async (rawBody, message) => {
    const answer = await api.request('POST', base, { rawBody, contentType: protobuf, headers: { accept: '*/*' } });
    expect([answer.status, answer.json.message]).toEqual([400, message]);
  });

  it('are never more than a bad request, whatever they are', async () => {
    const body = encodeObject({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'p', labels: { a: 'b' }, creationTimestamp: '2026-01-01T00:00:00Z' },
      spec: {
        containers: [{ name: 'c', image: 'i', resources: { limits: { cpu: '1' } }, ports: [{ containerPort: 1 }] }],
      },
    });
    const damage = fc.tuple(fc.nat(body.length - 1), fc.nat(255));
    await fc.assert(
      fc.asyncProperty(fc.array(damage, { minLength: 1, maxLength: 3 }), async (changes) => {
        const rawBody = Buffer.from(body);
        for (const [at, value] of changes) rawBody[at] = value;
        const { status } = await api.request('POST', '/api/v1/namespaces/default/pods?dryRun=All', {
          rawBody,
          contentType: protobuf,
        });
        expect([201, 400, 403, 422]).toContain(status);
      }),
      { numRuns: 300 },
    );
  });

  it('are refused in CBOR, which is not enabled', async () => {
    const answer = await api.request('POST', base, { rawBody: Buffer.from([0xa0]), contentType: 'application/cbor' });
    expect([answer.status, answer.json.reason, answer.json.message]).toEqual([
      415,
      'UnsupportedMediaType',
      `the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, ${protobuf}`,
    ]);
  });
});

describe('discovery in protobuf', () => {
  it.each([
    ['/api', { kind: 'APIVersions', versions: ['v1'] }],
    ['/apis', { kind: 'APIGroupList', apiVersion: 'v1' }],
    ['/apis/apps', { kind: 'APIGroup', name: 'apps' }],
    ['/apis/apps/v1', { kind: 'APIResourceList', groupVersion: 'apps/v1' }],
  ])('%s says what JSON says', async (path, expected) => {
    const answer = await client.request('GET', path);
    expect([answer.status, answer.contentType]).toEqual([200, protobuf]);
    expect(answer.object).toMatchObject(expected);
    expect(answer.object).toMatchObject(withoutEmpty((await api.request('GET', path)).json) as object);
  });

  it('comes aggregated', async () => {
    const form = ';g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
    const answer = await api.request('GET', '/apis', { headers: { accept: `${protobuf}${form},application/json` } });
    expect(answer.headers['content-type']).toBe(`${protobuf}${form}`);
    const plain = await api.request('GET', '/apis', { headers: { accept: `application/json${form}` } });
    expect(decodeProtobuf(answer.bytes)).toMatchObject(withoutEmpty(plain.json) as object);
  });

  it('has nothing but JSON for OpenAPI v3', async () => {
    expect((await client.request('GET', '/openapi/v3/api/v1')).status).toBe(406);
  });
});

/** Protobuf has no empty objects and lists where Go has none. */
function withoutEmpty(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutEmpty);
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(
    ([, item]) => item !== '' && item !== null && !(Array.isArray(item) && item.length === 0),
  );
  return Object.fromEntries(kept.map(([key, item]) => [key, withoutEmpty(item)]));
}

describe('lists in protobuf', () => {
  const names = Array.from({ length: 140 }, (_, index) => `many-${String(index).padStart(3, '0')}`);
  beforeAll(async () => {
    for (const name of names) {
      await client.request('POST', base, configMap(name, { text: 'x'.repeat(1_000) }));
    }
  });

  it('say what JSON says, whole and in chunks', async () => {
    for (const query of ['', '?limit=3', '?fieldSelector=metadata.name%3Dnone']) {
      const list = await client.request('GET', `${base}${query}`);
      const plain = (await api.request('GET', `${base}${query}`)).json;
      const { metadata, items = [], ...head } = list.object;
      expect([head, metadata]).toEqual([{ kind: 'ConfigMapList', apiVersion: 'v1' }, plain.metadata]);
      expect(items).toEqual(plain.items?.map(({ kind: _kind, apiVersion: _version, ...rest }) => rest));
    }
  });

  it('are the same once their messages were given up', async () => {
    const before = await client.request('GET', base);
    const { protobuf: messages } = api.server.watchCache;
    const kept = messages.sizeBytes;
    for (const entry of api.server.registry.reader.cacheOf({ group: '', resource: 'configmaps' }).entries()) {
      messages.forget(entry);
    }
    expect(messages.sizeBytes).toBeLessThan(kept - 140 * 1_000);
    expect((await client.request('GET', base)).bytes.equals(before.bytes)).toBe(true);
  });

  it('come as metadata alone', async () => {
    const list = await client.request('GET', `${base}?limit=2`, undefined, metadataOf('PartialObjectMetadataList'));
    expect([list.contentType, list.object.kind]).toEqual([protobuf, 'PartialObjectMetadataList']);
    expect(list.object.items?.every((item) => item.metadata?.labels?.['a'] === '1' && item.data === undefined)).toBe(
      true,
    );
    const single = await client.request('GET', `${base}/many-000`, undefined, metadataOf('PartialObjectMetadata'));
    expect(single.object).toMatchObject({ kind: 'PartialObjectMetadata', metadata: { name: 'many-000' } });
  });

  it('are no Table where upstream has none', async () => {
    const review = { spec: { resourceAttributes: { verb: 'get', resource: 'pods' } } };
    const answer = await api.request('POST', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', {
      body: review,
      headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' },
    });
    expect([answer.status, answer.json.reason]).toEqual([406, 'NotAcceptable']);
  });

  it('are refused as what they are not', async () => {
    const asOne = await client.request('GET', base, undefined, metadataOf('PartialObjectMetadata'));
    expect([asOne.status, asOne.object.message]).toEqual([
      406,
      'you requested PartialObjectMetadata, but the requested object is a list (*core.ConfigMapList)',
    ]);
    const asTable = await client.request('GET', base, undefined, metadataOf('Table'));
    expect([asTable.status, asTable.object.message]).toEqual([
      406,
      `only the following media types are accepted: application/json, application/yaml, ${protobuf}`,
    ]);
  });
});

describe('watches in protobuf', () => {
  it('frame each event', async () => {
    const watch = await client.watch(`${base}?watch=true&labelSelector=of%3Dwatch&resourceVersion=0`);
    expect(watch.contentType).toBe(`${protobuf};stream=watch`);
    const labelled = (value: string) => ({ ...configMap('seen'), metadata: { name: 'seen', labels: { of: value } } });
    await client.request('POST', base, labelled('watch'));
    await client.request('PUT', `${base}/seen`, { ...labelled('watch'), data: { key: 'new' } });
    const changed = await client.request('PUT', `${base}/seen`, labelled('nothing'));
    expect(await watch.next()).toMatchObject({
      type: 'ADDED',
      object: { kind: 'ConfigMap', metadata: { name: 'seen' } },
    });
    expect(await watch.next()).toMatchObject({ type: 'MODIFIED', object: { data: { key: 'new' } } });
    expect(await watch.next()).toMatchObject({
      type: 'DELETED',
      object: { metadata: { resourceVersion: changed.object.metadata?.resourceVersion }, data: { key: 'new' } },
    });
    watch.close();
  });

  it('begin with what is there and a bookmark', async () => {
    const watch = await client.watch(
      `${base}?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&fieldSelector=metadata.name%3Dseen`,
    );
    expect(await watch.next()).toMatchObject({ type: 'ADDED' });
    expect(await watch.next()).toMatchObject({
      type: 'BOOKMARK',
      object: { kind: 'ConfigMap', metadata: { annotations: { 'k8s.io/initial-events-end': 'true' } } },
    });
    watch.close();
  });

  it('share one encoding among all watchers', async () => {
    const watches = await Promise.all(
      [1, 2, 3].map(() => client.watch(`${base}?watch=true&resourceVersion=0&fieldSelector=metadata.name%3Dshared`)),
    );
    await client.request('POST', base, configMap('shared'));
    for (const watch of watches) {
      expect(await watch.next()).toMatchObject({ type: 'ADDED', object: { metadata: { name: 'shared' } } });
      watch.close();
    }
    const cache = api.server.registry.reader.cacheOf({ group: '', resource: 'configmaps' });
    const kept = cache.get('default', 'shared')?.protobuf;
    await client.request('GET', `${base}/shared`);
    expect(kept?.bytes).toBeDefined();
    expect(cache.get('default', 'shared')?.protobuf).toBe(kept);
  });

  it('tell errors in a Status', async () => {
    const watch = await client.watch(`${base}?watch=true&fieldSelector=metadata.name%3Dnobody`);
    api.server.registry.reader.cacheOf({ group: '', resource: 'configmaps' }).reset([], 1);
    expect(await watch.next()).toMatchObject({
      type: 'ERROR',
      object: { kind: 'Status', reason: 'Expired', code: 410 },
    });
  });
});
