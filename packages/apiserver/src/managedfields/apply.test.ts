import { describe, expect, it } from 'vitest';
import { ApplyConflicts } from './conflicts.ts';
import { writeFilter } from './reset-fields.ts';
import { trackedOf, World } from './testing.ts';
import { trackCreate } from './track-update.ts';
import type { Bag } from './values.ts';

const pod = (spec: Bag, metadata: Bag = {}): Bag => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', ...metadata },
  spec,
});
const c = (name: string, more: Bag = {}): Bag => ({ name, ...more });
const pods = () => new World('', 'v1', 'Pod');
const spec = (world: World): Bag => world.object?.['spec'] as Bag;

interface Case {
  readonly live: Bag;
  readonly config: Bag;
  readonly expected: Bag;
}

describe('an applied configuration', () => {
  it.each<readonly [string, Case]>([
    [
      'replaces an atomic list, map and struct as a whole',
      {
        live: { containers: [c('a', { args: ['1', '2'] })], nodeSelector: { x: '1' }, tolerations: [{ key: 'a' }] },
        config: { containers: [c('a', { args: ['3'] })], nodeSelector: { y: '1' }, tolerations: [{ key: 'b' }] },
        expected: { containers: [c('a', { args: ['3'] })], nodeSelector: { y: '1' }, tolerations: [{ key: 'b' }] },
      },
    ],
    [
      'merges elements by key, its own first where it says so',
      {
        live: { containers: [c('a', { image: '1' }), c('b', { image: '1' })] },
        config: { containers: [c('b', { image: '2' }), c('d')] },
        expected: { containers: [c('a', { image: '1' }), c('b', { image: '2' }), c('d')] },
      },
    ],
    [
      'orders shared elements as it has them',
      {
        live: { containers: [c('a'), c('x'), c('b')] },
        config: { containers: [c('b'), c('a')] },
        expected: { containers: [c('x'), c('b'), c('a')] },
      },
    ],
    [
      'knows ports by number and protocol, whose default it fills in',
      {
        live: { containers: [c('a', { ports: [{ containerPort: 80, protocol: 'TCP', name: 'x' }] })] },
        config: {
          containers: [
            c('a', {
              ports: [
                { containerPort: 80, hostPort: 1 },
                { containerPort: 80, protocol: 'UDP' },
              ],
            }),
          ],
        },
        expected: {
          containers: [
            c('a', {
              ports: [
                { containerPort: 80, protocol: 'TCP', name: 'x', hostPort: 1 },
                { containerPort: 80, protocol: 'UDP' },
              ],
            }),
          ],
        },
      },
    ],
    [
      'takes null for what shall not be stated',
      {
        live: { containers: [c('a')], serviceAccountName: 'x' },
        config: { containers: null, serviceAccountName: null } as unknown as Bag,
        expected: { containers: [c('a')] },
      },
    ],
  ])('%s', (_name, { live, config, expected }) => {
    const world = pods().update('creator', pod(live)).apply('applier', pod(config), true);
    expect(JSON.parse(JSON.stringify(spec(world)))).toMatchObject(expected);
    expect(Object.keys(spec(world)).sort()).toEqual(Object.keys(expected).sort());
    expect(JSON.stringify((spec(world)['containers'] as Bag[]).map(({ name }) => name))).toBe(
      JSON.stringify((expected['containers'] as Bag[]).map(({ name }) => name)),
    );
  });

  it('adds to a set and takes only its own out again', () => {
    const withFinalizers = (...finalizers: readonly string[]) => pod({ containers: [c('a')] }, { finalizers });
    const world = pods().apply('one', withFinalizers('a/a', 'b/b')).apply('two', withFinalizers('b/b', 'c/c'));
    expect((world.object?.['metadata'] as Bag)['finalizers']).toEqual(['a/a', 'b/b', 'c/c']);
    world.apply('one', withFinalizers('a/a'));
    expect((world.object?.['metadata'] as Bag)['finalizers']).toEqual(['a/a', 'b/b', 'c/c']);
    world.apply('two', pod({ containers: [c('a')] }));
    expect((world.object?.['metadata'] as Bag)['finalizers']).toEqual(['a/a']);
    expect(world.owners['one Apply']).toContain('"f:finalizers":{"v:\\"a/a\\"":{}}');
  });

  it('removes an element that it states no more, with what nobody else states of it', () => {
    const world = pods().apply('one', pod({ containers: [c('a'), c('b', { image: 'i' })] }));
    world.apply('one', pod({ containers: [c('a')] }));
    expect(spec(world)['containers']).toMatchObject([{ name: 'a' }]);
  });

  it('keeps an element of which another owns a part', () => {
    const world = pods().apply('one', pod({ containers: [c('a'), c('b', { image: 'i', workingDir: '/' })] }));
    world.apply('two', pod({ containers: [c('b', { image: 'i' })] }));
    world.apply('one', pod({ containers: [c('a')] }));
    expect(spec(world)['containers']).toMatchObject([{ name: 'a' }, { name: 'b', image: 'i' }]);
    expect((spec(world)['containers'] as Bag[])[1]).not.toHaveProperty('workingDir');
  });

  it('removes an element of its own although an updater added to it', () => {
    const world = pods().apply('one', pod({ containers: [c('a'), c('b')] }));
    world.update('editor', pod({ containers: [c('a'), c('b', { image: 'added' })] }));
    world.apply('one', pod({ containers: [c('a')] }));
    expect(spec(world)['containers']).toMatchObject([{ name: 'a' }]);
    expect(Object.keys(world.owners)).toEqual(['one Apply']);
  });

  it('shares what it states alike, and says when only if the object changed', () => {
    const world = pods().apply('one', pod({ containers: [c('a', { image: 'i' })] }));
    const { object } = world;
    world.apply('two', pod({ containers: [c('a', { image: 'i' })] }));
    expect(world.object).toEqual(object);
    expect(world.owners['one Apply']).toBe(world.owners['two Apply']);
    expect(world.times).toEqual({
      '{"manager":"one","operation":"Apply"}': '2026-01-01T00:00:01Z',
      '{"manager":"two","operation":"Apply"}': undefined,
    });
  });

  it('may give up what it shares, and gets no say in what others own', () => {
    const world = pods().apply('one', pod({ containers: [c('a', { image: 'i' })] }));
    world.apply('two', pod({ containers: [c('a', { image: 'i' })] })).apply('one', pod({ containers: [c('a')] }));
    expect(spec(world)['containers']).toMatchObject([{ image: 'i' }]);
    expect(() => world.apply('one', pod({ containers: [c('a', { image: 'j' })] }))).toThrow(
      'Apply failed with 1 conflict: conflict with "two": .spec.containers[name="a"].image',
    );
  });

  it('takes all by force, from appliers and updaters', () => {
    const world = pods().apply('one', pod({ containers: [c('a', { image: 'i' })], hostname: 'x' }));
    world.update('two', pod({ containers: [c('a', { image: 'j' })], hostname: 'x' }));
    expect(() => world.apply('three', pod({ hostname: 'y', containers: [c('a', { image: 'k' })] }))).toThrow(
      ApplyConflicts,
    );
    world.apply('three', pod({ hostname: 'y', containers: [c('a', { image: 'k' })] }), true);
    expect(Object.keys(world.owners).sort()).toEqual(['one Apply', 'three Apply']);
    expect(world.owners['one Apply']).toBe(
      '{"f:spec":{"f:containers":{"k:{\\"name\\":\\"a\\"}":{".":{},"f:name":{}}}}}',
    );
  });

  it('finds an owner for what was there before', () => {
    const world = pods().update('creator', pod({ containers: [c('a', { image: 'i' })] }));
    world.managed = undefined;
    expect(() => world.apply('one', pod({ containers: [c('a', { image: 'j' })] }))).toThrow(
      'conflict with "before-first-apply" using v1: .spec.containers[name="a"].image',
    );
    world.apply('one', pod({ containers: [c('a', { image: 'i' })] }));
    expect(Object.keys(world.owners)).toEqual(['one Apply', 'before-first-apply Update']);
  });

  it('stops owning anything when it states nothing', () => {
    const world = pods().update('creator', pod({ containers: [c('a')] }));
    world.apply('one', pod({ hostname: 'x' })).apply('one', { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' } });
    expect(Object.keys(world.owners)).toEqual(['creator Update']);
    expect(spec(world)).not.toHaveProperty('hostname');
  });
});

describe('other writes', () => {
  it('move the time of an entry only with its fields', () => {
    const world = new World('', 'v1', 'ConfigMap');
    const map = (data: Bag) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'm' }, data });
    world
      .update('one', map({ a: '1', b: '1' }))
      .update('two', map({ a: '2', b: '1' }))
      .update('two', map({ a: '2', b: '1' }));
    expect(Object.values(world.times)).toEqual(['2026-01-01T00:00:01Z', '2026-01-01T00:00:02Z']);
    expect(world.owners).toEqual({
      'one Update': '{"f:data":{".":{},"f:b":{}}}',
      'two Update': '{"f:data":{"f:a":{}}}',
    });
    world.update('one', map({ b: '1' }));
    expect(world.owners).toEqual({ 'one Update': '{"f:data":{".":{},"f:b":{}}}' });
  });

  it('merge the oldest of more than ten updaters, for each version apart', () => {
    const world = new World('', 'v1', 'ConfigMap');
    let data: Bag = {};
    for (let index = 0; index < 13; index += 1) {
      data = { ...data, [`k${index}`]: 'v' };
      world.update(`m${index}`, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'm' }, data });
    }
    expect(Object.keys(world.owners)).toHaveLength(10);
    expect(world.owners['ancient-changes Update']).toBe('{"f:data":{".":{},"f:k0":{},"f:k1":{},"f:k2":{},"f:k3":{}}}');
    expect(Object.values(world.times)[0]).toBe('2026-01-01T00:00:04Z');
  });
});

describe('what a subresource has no say in', () => {
  const filter = writeFilter({ group: 'apps', resource: 'deployments', subresource: 'status', hasStatus: true });
  const deployment = { metadata: { name: 'd', labels: { a: 'b' } }, spec: { replicas: 1 }, status: { replicas: 1 } };

  it.each([
    ['made', {}],
    ['applied to', { metadata: { annotations: { x: 'y' } } }],
  ])('is owned by nobody once an object is %s through it', (_name, more) => {
    const kind = trackedOf('apps', 'v1', 'Deployment');
    const writer = { manager: 'm', subresource: 'status', filter, now: '2026-01-01T00:00:00Z' };
    const entries = trackCreate(kind, { ...deployment, ...more }, undefined, writer);
    expect(JSON.stringify(entries)).toContain('"f:replicas"');
    expect(JSON.stringify(entries)).not.toMatch(/f:labels|f:spec/);
  });
});
