import { describe, expect, it } from 'vitest';
import { encodingOf } from './encoding.ts';
import type { Entry } from './entry.ts';
import { ProtobufMessages } from './protobuf-messages.ts';
import { ResourceCache } from './resource-cache.ts';
import { type WatchEnd, Watcher } from './watcher.ts';

const attributesOf = () => ({ labels: {}, fields: {} });
const resource = {
  prefix: '/registry/configmaps/',
  namespaced: true,
  encoding: encodingOf('ConfigMap', 'v1'),
  attributesOf,
};

function fill(messages: ProtobufMessages, count: number): { cache: ResourceCache; entries: readonly Entry[] } {
  const cache = new ResourceCache(resource, messages);
  cache.reset(
    Array.from({ length: count }, (_, index) => stored(`n${index}`, index + 1)),
    count,
  );
  return { cache, entries: [...cache.entries()] };
}

function stored(name: string, revision: number, data: unknown = { k: 'x'.repeat(1_000) }) {
  const object = { kind: 'ConfigMap', apiVersion: 'v1', metadata: { name, namespace: 'd' }, data };
  return { key: `/registry/configmaps/d/${name}`, value: Buffer.from(JSON.stringify(object)), revision };
}

describe('ProtobufMessages', () => {
  it('makes a message once', () => {
    const messages = new ProtobufMessages();
    const { entries } = fill(messages, 1);
    const [entry] = entries;
    if (entry === undefined) throw new Error('no entry');
    expect([messages.sizeBytes, messages.sizeOf(entry)]).toEqual([0, undefined]);
    const made = messages.of(entry);
    expect(messages.of(entry)).toBe(made);
    expect([messages.sizeBytes, messages.sizeOf(entry)]).toEqual([made.length, made.length]);
  });

  it('gives up the oldest beyond its limit, but knows their sizes, and makes the same again', () => {
    const messages = new ProtobufMessages(5_000);
    const { entries } = fill(messages, 20);
    const made = entries.map((entry) => messages.of(entry));
    expect(messages.sizeBytes).toBeLessThanOrEqual(5_000);
    expect(messages.sizeBytes).toBeGreaterThan(3_000);
    expect(entries.map((entry) => messages.sizeOf(entry))).toEqual(made.map(({ length }) => length));
    const [first] = entries;
    if (first === undefined) throw new Error('no entry');
    expect(first.protobuf?.bytes).toBeUndefined();
    expect(messages.of(first).equals(made[0] ?? Buffer.alloc(0))).toBe(true);
  });

  it('forgets revisions that are replaced or gone', () => {
    const messages = new ProtobufMessages();
    const { cache, entries } = fill(messages, 3);
    for (const entry of entries) messages.of(entry);
    const whole = messages.sizeBytes;
    cache.apply({ kind: 'put', ...stored('n0', 4) });
    cache.apply({ kind: 'delete', key: '/registry/configmaps/d/n1', value: Buffer.alloc(0), revision: 5 });
    expect(messages.sizeBytes).toBe(whole / 3);
    cache.reset([], 6);
    expect(messages.sizeBytes).toBe(0);
  });
});

describe('Watcher', () => {
  it('ends at an object that cannot be written, and spares the others', () => {
    const messages = new ProtobufMessages();
    const { cache } = fill(messages, 0);
    const ends: (WatchEnd | string)[] = [];
    const form = {
      name: 'protobuf',
      contentType: '',
      frame: (_type: string, entry: Entry) => messages.of(entry),
      bookmark: () => Buffer.alloc(0),
      error: () => Buffer.alloc(0),
    };
    const selection = { namespace: undefined, matches: () => true, byIdentityOnly: true };
    let frames = 0;
    const output = { write: () => ++frames > 0, end: () => {} };
    const start = { position: 0, afterRevision: 0 };
    const watcher = new Watcher(cache, selection, form, output, start, (reason, error) => {
      ends.push(reason, (error as Error).message);
    });
    cache.apply({ kind: 'put', ...stored('good', 1) });
    cache.apply({ kind: 'put', ...stored('bad', 2, { k: 7 }) });
    watcher.advance();
    expect([frames, ends]).toEqual([1, ['failed', 'field data must be a string, not 7']]);
    expect(cache.followers.size).toBe(0);
  });
});
