import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareObjects } from './compare.ts';
import { ApplyConflicts } from './conflicts.ts';
import { createdText } from './created-text.ts';
import { fieldSetOf } from './extract.ts';
import {
  difference,
  type FieldSet,
  intersection,
  leaf,
  pathsOf,
  readFieldSet,
  recursiveDifference,
  setOf,
  union,
} from './field-set.ts';
import { mergeObjects } from './merge.ts';
import { textOfSet } from './owned-fields.ts';
import { removeFields } from './remove.ts';
import { trackedOf, World } from './testing.ts';
import { problemsOf } from './validate.ts';
import { type Bag, sameValue } from './values.ts';

const name = fc.constantFrom('a', 'b', 'c', 'constructor', '<x>');
const text = fc.constantFrom('1', '2', '3');
const labels = fc.dictionary(name, text, { maxKeys: 3 });
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const unique = <T>(arbitrary: fc.Arbitrary<T>, key: (value: T) => unknown) =>
  fc.uniqueArray(arbitrary, { selector: key, maxLength: 3 });
const container = fc.record({
  name,
  image: maybe(text),
  args: maybe(fc.array(text, { maxLength: 2 })),
  env: maybe(unique(fc.record({ name, value: maybe(text) }), (env) => env.name)),
  ports: maybe(
    unique(
      fc.record({ containerPort: fc.constantFrom(80, 443), protocol: maybe(fc.constantFrom('TCP', 'UDP')) }),
      (port) => `${port.containerPort} ${port.protocol ?? 'TCP'}`,
    ),
  ),
  resources: maybe(fc.record({ limits: maybe(fc.dictionary(fc.constantFrom('cpu', 'memory'), text)) })),
});
const pod = fc
  .record({
    apiVersion: fc.constant('v1'),
    kind: fc.constant('Pod'),
    metadata: fc.record({
      name: fc.constant('p'),
      labels: maybe(labels),
      finalizers: maybe(unique(fc.constantFrom('a/a', 'b/b', 'c/c'), (value) => value)),
    }),
    spec: fc.record({
      containers: unique(container, (one) => one.name).filter((list) => list.length > 0),
      nodeSelector: maybe(labels),
      hostname: maybe(text),
      securityContext: maybe(fc.record({ fsGroup: maybe(fc.constantFrom(1, 2)) })),
    }),
  })
  .map((value) => withoutEmpty(JSON.parse(JSON.stringify(value))) as Bag);

/** What is empty is dropped when an object is decoded, which upstream's rules then take for a change. */
function withoutEmpty(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutEmpty);
  if (typeof value !== 'object' || value === null) return value;
  const parts = Object.entries(value).map(([name, part]) => [name, withoutEmpty(part)] as const);
  return Object.fromEntries(
    parts.filter(([, part]) => typeof part !== 'object' || part === null || Object.keys(part).length > 0),
  );
}

const element = fc.constantFrom(
  'f:a',
  'f:b',
  'k:{"name":"x"}',
  'k:{"port":80,"protocol":"TCP"}',
  'v:"a"',
  'v:2',
  'i:1',
);
const set: fc.Arbitrary<FieldSet> = fc
  .array(fc.array(element, { minLength: 1, maxLength: 3 }), { maxLength: 8 })
  .map((paths) => setOf(...paths));
const kind = trackedOf('', 'v1', 'Pod');
const paths = (of: FieldSet) => [...pathsOf(of)].map((path) => path.join(' ')).sort();

describe('sets', () => {
  it('are what they are written as', () => {
    fc.assert(
      fc.property(set, (one) => {
        expect(textOfSet(readFieldSet(JSON.parse(textOfSet(one))))).toBe(textOfSet(one));
      }),
    );
  });

  it('behave as sets of paths', () => {
    fc.assert(
      fc.property(set, set, (left, right) => {
        const [mine, theirs] = [paths(left), paths(right)];
        expect(paths(union(left, right))).toEqual([...new Set([...mine, ...theirs])].sort());
        expect(paths(intersection(left, right))).toEqual(mine.filter((path) => theirs.includes(path)));
        expect(paths(difference(left, right))).toEqual(mine.filter((path) => !theirs.includes(path)));
        const covered = (path: string) => theirs.some((other) => path === other || path.startsWith(`${other} `));
        expect(paths(recursiveDifference(left, right))).toEqual(mine.filter((path) => !covered(path)));
        expect(textOfSet(union(left, right))).toBe(textOfSet(union(right, left)));
      }),
    );
  });
});

describe('objects', () => {
  it('that are new have the set that comparing with nothing finds', () => {
    fc.assert(
      fc.property(pod, (object) => {
        const { added, modified } = compareObjects(kind.shape, kind.blank, object);
        expect(createdText(kind.shape, kind.blank, object, new Set())).toBe(textOfSet(union(added, modified)));
      }),
    );
  });

  it('differ in nothing from themselves, and by what was changed from others', () => {
    fc.assert(
      fc.property(pod, pod, (before, after) => {
        const { added, modified, removed } = compareObjects(kind.shape, before, after);
        const back = compareObjects(kind.shape, after, before);
        expect([added, modified, removed]).toEqual([back.removed, back.modified, back.added]);
        expect(Object.values(compareObjects(kind.shape, before, structuredClone(before)))).toEqual([leaf, leaf, leaf]);
      }),
    );
  });

  it('have in them what is applied', () => {
    fc.assert(
      fc.property(pod, pod, (live, config) => {
        const merged = mergeObjects(kind.shape, live, config);
        expect(problemsOf(kind.shape, merged)).toBeUndefined();
        const stated = fieldSetOf(kind.shape, config);
        expect(difference(stated, fieldSetOf(kind.shape, merged))).toEqual(leaf);
        expect(mergeObjects(kind.shape, merged, config)).toEqual(merged);
      }),
    );
  });

  it('lose what is removed, and nothing else', () => {
    fc.assert(
      fc.property(pod, (object) => {
        const all = fieldSetOf(kind.shape, object);
        for (const path of pathsOf(all)) {
          // Without its keys an element is none.
          if (path.at(-2)?.startsWith('k:') === true) continue;
          const gone = setOf(path);
          const left = fieldSetOf(kind.shape, removeFields(kind.shape, object, gone));
          // What lost its last part is null until the object is decoded, and counts as stated.
          const emptied = difference(left, all);
          expect(difference(left, emptied)).toEqual(recursiveDifference(all, gone));
        }
      }),
    );
  });
});

describe('apply', () => {
  const world = (object: Bag) => new World('', 'v1', 'Pod').update('creator', object);

  it('done twice does nothing the second time', () => {
    fc.assert(
      fc.property(pod, pod, (live, config) => {
        const once = world(live).apply('one', config, true);
        const { object, managed, owners } = once;
        once.apply('one', config);
        expect(once.owners).toEqual(owners);
        expect(sameValue(once.object, object)).toBe(true);
        expect(once.managed).toEqual(managed);
      }),
    );
  });

  it('of less takes away what nobody else owns, and only that', () => {
    fc.assert(
      fc.property(pod, pod, (config, others) => {
        const both = new World('', 'v1', 'Pod').apply('one', config).apply('two', others, true);
        both.apply('one', { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' } });
        expect(Object.keys(both.owners)).toEqual(['two Apply']);
        const alone = new World('', 'v1', 'Pod').apply('two', others);
        expect(fieldSetOf(kind.shape, both.object ?? {})).toEqual(fieldSetOf(kind.shape, alone.object ?? {}));
        expect(both.owners).toEqual(alone.owners);
      }),
    );
  });

  it('refuses exactly what others own with another value', () => {
    fc.assert(
      fc.property(pod, pod, (live, config) => {
        const one = world(live);
        const { modified } = compareObjects(
          kind.shape,
          one.object ?? {},
          mergeObjects(kind.shape, one.object ?? {}, config),
        );
        let refused: ReadonlySet<string> = new Set();
        try {
          one.apply('one', config);
        } catch (error) {
          if (!(error instanceof ApplyConflicts)) throw error;
          refused = new Set(error.conflicts.map(({ path }) => path.join(' ')));
        }
        expect([...refused].sort()).toEqual(paths(modified));
      }),
    );
  });
});
