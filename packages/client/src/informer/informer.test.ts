import { type Pod, resources } from '@wherry/api';
import { Scope, seededRandom, silentLogger, VirtualClock } from '@wherry/daemon';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ApiClient } from '../api/api-client.ts';
import { FedStream, json, ScriptedTransport } from '../testing/scripted-transport.ts';
import type { ApiResponse } from '../transport/transport.ts';
import type { Informer } from './informer.ts';
import { InformerFactory } from './informer-factory.ts';

const pod = (name: string, resourceVersion: string, nodeName = 'n1', uid = name): Pod => ({
  metadata: { name, namespace: 'default', resourceVersion, uid, managedFields: [{ manager: 'kubectl' }] },
  spec: { nodeName, containers: [] },
});
const podList = (resourceVersion: string, ...items: Pod[]) =>
  json({ kind: 'PodList', apiVersion: 'v1', metadata: { resourceVersion }, items });
const expired = json({ kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version' }, 410);

describe('Informer', () => {
  let clock: VirtualClock;
  let scope: Scope;
  let lists: (() => ApiResponse | undefined)[];
  let watches: (FedStream | ApiResponse | undefined)[];
  let transport: ScriptedTransport;
  let informer: Informer<Pod>;
  let changes: string[];

  const paths = () => transport.requests.map(({ path }) => path.replace(/&timeoutSeconds=\d+/, ''));
  const start = () => {
    informer = new InformerFactory({
      client: new ApiClient(transport),
      clock,
      random: seededRandom(1),
      logger: silentLogger,
      scope,
    }).informer(resources.pods, { indexers: { node: ({ spec }) => [spec?.nodeName ?? ''] } });
    informer.onChange(({ kind, key, object }) => changes.push(`${kind} ${key} ${object.metadata?.resourceVersion}`));
  };

  beforeEach(() => {
    clock = new VirtualClock();
    scope = new Scope('test', silentLogger);
    changes = [];
    lists = [];
    watches = [];
    transport = new ScriptedTransport(({ path, signal }) => {
      if (!path.includes('watch=true')) return lists.shift()?.();
      const next = watches.shift();
      return next instanceof FedStream ? next.response(signal) : next;
    });
  });
  afterEach(() => scope.close());

  it('lists, then follows the watch, with indexes and without managedFields', async () => {
    const stream = new FedStream();
    lists = [() => podList('10', pod('a', '5'), pod('b', '7', 'n2'))];
    watches = [stream];
    start();
    await informer.synced();
    stream.send('MODIFIED', pod('a', '11', 'n2'));
    stream.send('DELETED', pod('b', '12', 'n2'));
    stream.send('BOOKMARK', { metadata: { resourceVersion: '20' } });
    await clock.advance(1);
    expect(changes).toEqual(['added default/a 5', 'added default/b 7', 'updated default/a 11', 'deleted default/b 12']);
    expect(informer.byIndex('node', 'n1')).toEqual([]);
    expect(informer.byIndex('node', 'n2').map(({ metadata }) => metadata?.name)).toEqual(['a']);
    expect(informer.get('default/a')?.metadata?.managedFields).toBeUndefined();
    expect(informer.resourceVersion).toBe(20n);
    expect(paths()).toEqual([
      '/api/v1/pods?limit=10000',
      '/api/v1/pods?watch=true&resourceVersion=10&allowWatchBookmarks=true',
    ]);
  });

  it('resumes a broken watch where it stopped, without a new list', async () => {
    const [first, second] = [new FedStream(), new FedStream()];
    lists = [() => podList('10')];
    watches = [first, undefined, second];
    start();
    await informer.synced();
    first.send('ADDED', pod('a', '15'));
    await clock.advance(1);
    first.end();
    await clock.advance(500);
    second.send('ADDED', pod('b', '16'));
    await clock.advance(1);
    expect(changes).toEqual(['added default/a 15', 'added default/b 16']);
    expect(paths().filter((path) => path.includes('resourceVersion=15'))).toHaveLength(2);
    expect(paths().filter((path) => !path.includes('watch'))).toHaveLength(1);
  });

  it('lists again after 410, not older than what it has seen, and reports the difference', async () => {
    lists = [() => podList('10', pod('a', '5'), pod('b', '6')), () => podList('30', pod('a', '5'), pod('c', '25'))];
    watches = [expired, new FedStream()];
    start();
    await informer.synced();
    await clock.advance(500);
    expect(changes).toEqual(['added default/a 5', 'added default/b 6', 'added default/c 25', 'deleted default/b 6']);
    expect(paths()[2]).toBe('/api/v1/pods?limit=10000&resourceVersion=10&resourceVersionMatch=NotOlderThan');
  });

  it('shows a replaced object (same name, new uid) as deleted and added', async () => {
    const stream = new FedStream();
    lists = [() => podList('10', pod('a', '5', 'n1', 'old'))];
    watches = [stream];
    start();
    await informer.synced();
    stream.send('MODIFIED', pod('a', '11', 'n1', 'new'));
    await clock.advance(1);
    expect(changes).toEqual(['added default/a 5', 'deleted default/a 5', 'added default/a 11']);
  });

  it('keeps trying while the server is away, more and more slowly', async () => {
    start();
    await clock.advance(60_000);
    const tries = transport.requests.length;
    expect(tries).toBeGreaterThan(10);
    expect(tries).toBeLessThan(30);
    expect(informer.hasSynced).toBe(false);
  });

  it('grows as slow when the server goes away after the first list', async () => {
    lists = [() => podList('10')];
    start();
    await clock.advance(60_000);
    expect(informer.hasSynced).toBe(true);
    expect(transport.requests.length).toBeLessThan(30);
  });

  it('stops waiting for the first list when told to', async () => {
    start();
    const abort = new AbortController();
    const synced = informer.synced(abort.signal);
    abort.abort(new Error('enough'));
    await expect(synced).rejects.toThrow('enough');
  });
});
