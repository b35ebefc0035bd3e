import { facts } from '@wherry/api';
import { describe, expect, it } from 'vitest';
import { mergeFacts } from '../registry/merge-facts.ts';
import type { Json, JsonObject } from './json.ts';
import { applyStrategicMerge } from './strategic-merge.ts';

const node = facts.ofKind('', 'v1', 'Pod');
const podFacts = node === undefined ? undefined : mergeFacts(node);
const merge = (original: JsonObject, patch: Json): JsonObject => applyStrategicMerge(original, patch, podFacts);
const containers = (...items: JsonObject[]): JsonObject => ({ spec: { containers: items } });

describe('applyStrategicMerge', () => {
  it.each<[string, JsonObject, Json, JsonObject]>([
    [
      'merges list items by key',
      containers({ name: 'a', image: '1' }, { name: 'b', image: '1' }),
      containers({ name: 'b', image: '2' }),
      containers({ name: 'a', image: '1' }, { name: 'b', image: '2' }),
    ],
    [
      'puts items of the patch before items only the server has',
      containers({ name: 'a' }),
      containers({ name: 'b' }),
      containers({ name: 'b' }, { name: 'a' }),
    ],
    [
      'deletes an item by directive',
      containers({ name: 'a' }, { name: 'b' }),
      { spec: { containers: [{ $patch: 'delete', name: 'a' }] } },
      containers({ name: 'b' }),
    ],
    [
      'replaces a list by directive',
      containers({ name: 'a' }, { name: 'b' }),
      { spec: { containers: [{ $patch: 'replace' }, { name: 'c' }] } },
      containers({ name: 'c' }),
    ],
    [
      'replaces a map by directive',
      { spec: { nodeSelector: { a: '1', b: '2' } } },
      { spec: { nodeSelector: { $patch: 'replace', c: '3' } } },
      { spec: { nodeSelector: { c: '3' } } },
    ],
    [
      'removes with null',
      { metadata: { labels: { a: '1', b: '2' } } },
      { metadata: { labels: { a: null } } },
      { metadata: { labels: { b: '2' } } },
    ],
    [
      'replaces lists without a merge strategy',
      { spec: { tolerations: [{ key: 'a' }] } },
      { spec: { tolerations: [{ key: 'b' }] } },
      { spec: { tolerations: [{ key: 'b' }] } },
    ],
    [
      'unites lists of scalars',
      { metadata: { finalizers: ['x/a', 'x/b'] } },
      { metadata: { finalizers: ['x/b', 'x/c'] } },
      { metadata: { finalizers: ['x/a', 'x/b', 'x/c'] } },
    ],
    [
      'deletes from lists of scalars',
      { metadata: { finalizers: ['x/a', 'x/b'] } },
      { metadata: { '$deleteFromPrimitiveList/finalizers': ['x/a'] } },
      { metadata: { finalizers: ['x/b'] } },
    ],
    [
      'orders by $setElementOrder',
      containers({ name: 'a' }, { name: 'b' }, { name: 'server' }),
      {
        spec: {
          '$setElementOrder/containers': [{ name: 'b' }, { name: 'a' }],
          containers: [{ name: 'a', image: '2' }],
        },
      },
      containers({ name: 'b' }, { name: 'a', image: '2' }, { name: 'server' }),
    ],
    [
      'keeps only $retainKeys of a union',
      { spec: { volumes: [{ name: 'v', emptyDir: {} }] } },
      { spec: { volumes: [{ name: 'v', $retainKeys: ['name', 'hostPath'], hostPath: { path: '/x' } }] } },
      { spec: { volumes: [{ name: 'v', hostPath: { path: '/x' } }] } },
    ],
    [
      'stores new parts without directives and nulls',
      {},
      { spec: { $patch: 'merge', a: null, b: 1 } },
      { spec: { b: 1 } },
    ],
  ])('%s', (_name, original, patch, expected) => {
    const before = JSON.stringify(original);
    expect(merge(original, patch)).toEqual(expected);
    expect(JSON.stringify(original)).toBe(before);
  });

  it.each<[string, Json]>([
    ['an unknown directive', { spec: { $patch: 'frob' } }],
    ['an item without its key', containers({ image: 'x' })],
    [
      'an order that contradicts the list',
      {
        spec: {
          '$setElementOrder/containers': [{ name: 'a' }, { name: 'b' }],
          containers: [{ name: 'b' }, { name: 'a' }],
        },
      },
    ],
    ['fields outside $retainKeys', { spec: { $retainKeys: ['a'], b: 1 } }],
  ])('refuses %s', (_name, patch) => {
    expect(() => merge(containers({ name: 'a' }), patch)).toThrow(expect.objectContaining({ kind: 'malformed' }));
  });
});
