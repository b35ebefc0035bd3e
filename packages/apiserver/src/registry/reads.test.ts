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

  it('takes a limited list at a revision for exactly that revision', async () => {
    const before = (await api.request('GET', base)).json;
    await create('a-later');
    const exact = await api.request('GET', `${base}?limit=2&resourceVersion=${before.metadata?.resourceVersion}`);
    expect(exact.json.metadata?.resourceVersion).toBe(before.metadata?.resourceVersion);
    expect(names(exact.json.items)).toEqual(names(before.items).slice(0, 2));
    const newer = await api.request('GET', `${base}?resourceVersion=${before.metadata?.resourceVersion}`);
    expect(names(newer.json.items)).toContain('a-later');
    await remove('a-later');
  });

  const token = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  it.each([
    ['!!', 'continue key is not valid: '],
    [
      token({ v: 'meta.k8s.io/v2' }),
      'continue key is not valid: server does not recognize this encoded version meta.k8s.io/v2',
    ],
    [
      token({ v: 'meta.k8s.io/v1', rv: 0, start: 'a' }),
      'continue key is not valid: incorrect encoded start resourceVersion (version meta.k8s.io/v1)',
    ],
    [
      token({ v: 'meta.k8s.io/v1', rv: 3, start: '' }),
      'continue key is not valid: encoded start key empty (version meta.k8s.io/v1)',
    ],
    [token({ v: 'meta.k8s.io/v1', rv: 3, start: '../secrets/' }), 'continue key is not valid: ../secrets/'],
    [token({ v: 'meta.k8s.io/v1', rv: 3, start: 'a//b' }), 'continue key is not valid: a//b'],
  ])('refuses the token %s', async (text, message) => {
    const answer = await api.request('GET', `${base}?limit=1&continue=${encodeURIComponent(text)}`);
    expect([answer.status, answer.json.message]).toEqual([
      400,
      expect.stringContaining(`invalid continue token: ${message}`),
    ]);
  });

  it('refuses a token together with a revision', async () => {
    const next = encodeURIComponent((await api.request('GET', `${base}?limit=1`)).json.metadata?.continue ?? '');
    const answer = await api.request('GET', `${base}?limit=1&resourceVersion=5&continue=${next}`);
    expect([answer.status, answer.json.message]).toEqual([
      400,
      'specifying resource version is not allowed when using continue',
    ]);
    expect((await api.request('GET', `${base}?limit=1&resourceVersion=0&continue=${next}`)).status).toBe(200);
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
    const none = await api.request('GET', base, { headers: { accept: 'application/cbor' } });
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

  it('begins with what is there where no revision is given, and says where that ends', async () => {
    for (const start of ['', '&resourceVersion=0']) {
      const watch = await api.watch(`${base}?watch=1&allowWatchBookmarks=true&fieldSelector=metadata.name%3Da${start}`);
      expect(await types(watch, 1)).toEqual(['ADDED a']);
      expect(await watch.next()).toMatchObject({
        type: 'BOOKMARK',
        object: { metadata: { annotations: { 'k8s.io/initial-events-end': 'true' } } },
      });
      watch.close();
    }
  });

  it('names the columns of a Table once', async () => {
    const watch = await api.watch(`${base}?watch=1&labelSelector=odd%3Dyes`, {
      headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' },
    });
    const columns = [await watch.next(), await watch.next()].map(
      (event) => event?.object as { columnDefinitions?: [] },
    );
    expect(columns.map(({ columnDefinitions }) => columnDefinitions?.length)).toEqual([3, undefined]);
    watch.close();
  });

  it('needs no bookmark to begin with what is there', async () => {
    const watch = await api.watch(
      `${base}?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&fieldSelector=metadata.name%3Da`,
    );
    expect(await types(watch, 1)).toEqual(['ADDED a']);
    expect(watch.pending).toBe(0);
    watch.close();
  });

  const match = 'ListOptions.meta.k8s.io "" is invalid: ';
  const list = 'resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden';
  it.each([
    [
      'watch=1&sendInitialEvents=true',
      'resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan',
    ],
    [
      'watch=1&sendInitialEvents=true&resourceVersionMatch=Exact',
      '[resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan, resourceVersionMatch: Unsupported value: "Exact": supported values: "NotOlderThan"]',
    ],
    ['watch=1&resourceVersionMatch=NotOlderThan', `${list} for watch unless sendInitialEvents is provided`],
    ['sendInitialEvents=true', 'sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list'],
    ['resourceVersionMatch=Exact', `${list} unless resourceVersion is provided`],
    [
      'resourceVersionMatch=Exact&resourceVersion=0',
      'resourceVersionMatch: Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"',
    ],
    [
      'resourceVersionMatch=Old&resourceVersion=1',
      'resourceVersionMatch: Unsupported value: "Old": supported values: "Exact", "NotOlderThan", ""',
    ],
    ['resourceVersionMatch=NotOlderThan&resourceVersion=1&continue=x', `${list} when continue is provided`],
  ])('refuses %s', async (query, message) => {
    const answer = await api.request('GET', `${base}?${query}`);
    expect([answer.status, answer.json.message]).toEqual([422, `${match}${message}`]);
  });
});
