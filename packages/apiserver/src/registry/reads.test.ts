import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer, type TestWatch } from '../testing/test-server.ts';

const base = '/api/v1/namespaces/default/configmaps';
let api: TestServer;

beforeAll(async () => {
  api = await startTestServer();
  for (const name of ['a', 'b', 'c', 'd', 'e']) {
    await create(name, { odd: name === 'a' || name === 'c' || name === 'e' ? 'yes' : 'no' });
  }
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
});

const create = (name: string, labels: Record<string, string> = {}) =>
  api.request('POST', base, { body: { metadata: { name, labels }, data: { of: name } } });
const label = (name: string, labels: Record<string, string | null>) =>
  api.request('PATCH', `${base}/${name}`, {
    body: { metadata: { labels } },
    contentType: 'application/merge-patch+json',
  });
const remove = (name: string) => api.request('DELETE', `${base}/${name}`);
const names = (items: readonly { readonly metadata?: { readonly name?: string } }[] | undefined) =>
  (items ?? []).map(({ metadata }) => metadata?.name);
const types = async (watch: TestWatch, count: number): Promise<string[]> => {
  const seen: string[] = [];
  for (let index = 0; index < count; index += 1) {
    const event = await watch.next();
    seen.push(`${event?.type} ${event?.object.metadata?.name ?? ''}`);
  }
  return seen;
};

describe('list', () => {
  it.each([
    ['labelSelector=odd%3Dyes', ['a', 'c', 'e']],
    ['labelSelector=odd+notin+(yes)', ['b', 'd']],
    ['fieldSelector=metadata.name%3Db', ['b']],
    ['fieldSelector=metadata.name!%3Db%2Cmetadata.namespace%3Ddefault', ['a', 'c', 'd', 'e']],
  ])('selects by %s', async (query, expected) => {
    expect(names((await api.request('GET', `${base}?${query}`)).json.items)).toEqual(expected);
  });

  it('refuses selectors it cannot serve', async () => {
    expect((await api.request('GET', `${base}?fieldSelector=data.of%3Da`)).status).toBe(400);
    expect((await api.request('GET', `${base}?labelSelector=a+b`)).status).toBe(400);
  });

  it('pages through one revision, whatever is written meanwhile', async () => {
    const first = (await api.request('GET', `${base}?limit=2`)).json;
    expect([names(first.items), first.metadata?.remainingItemCount]).toEqual([['a', 'b'], 3]);
    await create('aa');
    await remove('c');
    const token = encodeURIComponent(first.metadata?.continue ?? '');
    const second = (await api.request('GET', `${base}?limit=2&continue=${token}`)).json;
    expect([names(second.items), second.metadata?.resourceVersion]).toEqual([
      ['c', 'd'],
      first.metadata?.resourceVersion,
    ]);
    const rest = encodeURIComponent(second.metadata?.continue ?? '');
    const third = (await api.request('GET', `${base}?limit=2&continue=${rest}`)).json;
    expect([names(third.items), third.metadata?.continue]).toEqual([['e'], undefined]);
    await remove('aa');
    await create('c', { odd: 'yes' });
  });

  it('offers to go on without consistency once the revision is compacted', async () => {
    const first = (await api.request('GET', `${base}?limit=2`)).json;
    await create('zz');
    await api.storage.compact(await api.storage.currentRevision());
    const token = encodeURIComponent(first.metadata?.continue ?? '');
    const gone = await api.request('GET', `${base}?limit=2&continue=${token}`);
    expect([gone.status, gone.json.reason]).toEqual([410, 'Expired']);
    const onward = encodeURIComponent(gone.json.metadata?.continue ?? '');
    const rest = (await api.request('GET', `${base}?continue=${onward}`)).json;
    expect(names(rest.items)).toEqual(['c', 'd', 'e', 'zz']);
    await remove('zz');
  });

  it('reads exact and future revisions', async () => {
    const before = (await api.request('GET', base)).json;
    await create('later');
    const exact = await api.request(
      'GET',
      `${base}?resourceVersionMatch=Exact&resourceVersion=${before.metadata?.resourceVersion}`,
    );
    expect(names(exact.json.items)).toEqual(names(before.items));
    const future = await api.request('GET', `${base}?resourceVersion=999999`);
    expect([future.status, future.json.message]).toEqual([
      504,
      expect.stringContaining('Too large resource version: 999999'),
    ]);
    await remove('later');
  });

  it('makes tables and metadata', async () => {
    const table = await api.request('GET', base, {
      headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' },
    });
    expect(table.json).toMatchObject({
      kind: 'Table',
      columnDefinitions: [{ name: 'Name' }, { name: 'Data' }, { name: 'Age' }],
    });
    const partial = await api.request('GET', `${base}/a`, {
      headers: { accept: 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io' },
    });
    expect(partial.json).toMatchObject({ kind: 'PartialObjectMetadata', metadata: { name: 'a' } });
    expect(partial.json.data).toBeUndefined();
    const none = await api.request('GET', base, { headers: { accept: 'application/vnd.kubernetes.protobuf' } });
    expect(none.status).toBe(406);
  });
});

describe('watch', () => {
  it('starts with what is there, or after a revision', async () => {
    const all = await api.watch(`${base}?watch=1&labelSelector=odd%3Dyes`);
    expect(await types(all, 3)).toEqual(['ADDED a', 'ADDED c', 'ADDED e']);
    const { json } = await api.request('GET', base);
    await create('w');
    await label('w', { x: 'y' });
    await remove('w');
    const late = await api.watch(`${base}?watch=1&resourceVersion=${json.metadata?.resourceVersion}`);
    expect(await types(late, 3)).toEqual(['ADDED w', 'MODIFIED w', 'DELETED w']);
    all.close();
    late.close();
  });

  it('shows objects that move into and out of the selection as added and deleted', async () => {
    const { json } = await api.request('GET', base);
    const watch = await api.watch(
      `${base}?watch=1&labelSelector=in%3D1&resourceVersion=${json.metadata?.resourceVersion}`,
    );
    await label('a', { in: '1' });
    await label('a', { in: '1', more: '1' });
    await label('a', { in: null, more: null });
    expect(await types(watch, 3)).toEqual(['ADDED a', 'MODIFIED a', 'DELETED a']);
    watch.close();
  });

  it('gives a deletion the revision at which it happened', async () => {
    const made = await create('del');
    const watch = await api.watch(
      `${base}?watch=1&fieldSelector=metadata.name%3Ddel&resourceVersion=${made.json.metadata?.resourceVersion}`,
    );
    await remove('del');
    const event = await watch.next();
    expect(event?.type).toBe('DELETED');
    expect(Number(event?.object.metadata?.resourceVersion)).toBeGreaterThan(
      Number(made.json.metadata?.resourceVersion),
    );
    watch.close();
  });

  it('streams the initial state with a bookmark at its end', async () => {
    const watch = await api.watch(
      `${base}?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&fieldSelector=metadata.name%3Da`,
    );
    expect(await types(watch, 1)).toEqual(['ADDED a']);
    const end = await watch.next();
    expect(end).toMatchObject({
      type: 'BOOKMARK',
      object: { metadata: { annotations: { 'k8s.io/initial-events-end': 'true' } } },
    });
    watch.close();
  });

  it('answers 410 to a revision that is forgotten', async () => {
    const watch = await api.watch('/api/v1/pods?watch=1&resourceVersion=1');
    const { json } = await api.request('GET', '/api/v1/pods');
    expect(Number(json.metadata?.resourceVersion)).toBeGreaterThan(1);
    const cache = api.server.kinds.storedVersion('', 'pods').stored?.cache;
    cache?.reset([], Number(json.metadata?.resourceVersion));
    expect(await watch.next()).toMatchObject({ type: 'ERROR', object: { code: 410, reason: 'Expired' } });
    const again = await api.watch('/api/v1/pods?watch=1&resourceVersion=1');
    expect(await again.next()).toMatchObject({
      type: 'ERROR',
      object: { code: 410, message: expect.stringContaining('too old resource version: 1') },
    });
    expect(await again.next()).toBeUndefined();
  });

  it('ends after timeoutSeconds', async () => {
    const watch = await api.watch(
      `${base}?watch=1&timeoutSeconds=1&resourceVersion=0&fieldSelector=metadata.name%3Dnone`,
    );
    expect(await watch.next()).toBeUndefined();
  });

  it('serves the older paths and single objects', async () => {
    const watch = await api.watch('/api/v1/watch/namespaces/default/configmaps/a');
    expect(await types(watch, 1)).toEqual(['ADDED a']);
    const namespace = await api.watch('/api/v1/watch/namespaces/default');
    expect(await types(namespace, 1)).toEqual(['ADDED default']);
    watch.close();
    namespace.close();
  });

  it('refuses options that contradict each other', async () => {
    await expect(api.watch(`${base}?watch=1&sendInitialEvents=true`)).rejects.toThrow('422');
  });
});
