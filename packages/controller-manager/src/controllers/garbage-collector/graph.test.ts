import { type ApiObject, type OwnerReference, type Resource, resources } from '@wherry/api';
import { describe, expect, it } from 'vitest';
import { OwnerGraph } from './graph.ts';
import { judge, type OwnerState } from './plan.ts';

const refOf = (uid: string, more: Partial<OwnerReference> = {}): OwnerReference => ({
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet',
  name: uid,
  uid,
  blockOwnerDeletion: true,
  ...more,
});
interface Shape {
  readonly owners?: readonly OwnerReference[];
  readonly deleting?: boolean;
  readonly finalizers?: readonly string[];
}
const objectOf = (uid: string, { owners, deleting, finalizers }: Shape = {}): ApiObject => ({
  metadata: {
    uid,
    name: uid,
    namespace: 'ns',
    resourceVersion: '1',
    ...(owners && { ownerReferences: owners }),
    ...(deleting && { deletionTimestamp: 'x' }),
    ...(finalizers && { finalizers }),
  },
});
const sets: Resource = resources.replicasets;
const pods: Resource = resources.pods;

describe('OwnerGraph', () => {
  it('asks after an owner that it has not seen', () => {
    const graph = new OwnerGraph();
    expect([...graph.upsert(pods, objectOf('p', { owners: [refOf('rs')] })).judge]).toEqual(['rs']);
    expect(graph.get('rs')?.observed).toBe(false);
    expect([...graph.upsert(sets, objectOf('rs')).judge]).toEqual([]);
    expect([...(graph.get('rs')?.dependents ?? [])].map(({ uid }) => uid)).toEqual(['p']);
  });
  it('judges dependents when their owner goes', () => {
    const graph = new OwnerGraph();
    graph.upsert(sets, objectOf('rs'));
    graph.upsert(pods, objectOf('p', { owners: [refOf('rs')] }));
    expect([...graph.remove('rs').judge]).toEqual(['p']);
  });
  it('starts foreground and orphan deletion once', () => {
    const graph = new OwnerGraph();
    graph.upsert(sets, objectOf('rs'));
    graph.upsert(pods, objectOf('p', { owners: [refOf('rs')] }));
    const foreground = objectOf('rs', { deleting: true, finalizers: ['foregroundDeletion'] });
    expect([...graph.upsert(sets, foreground).judge]).toEqual(['rs', 'p']);
    expect([...graph.upsert(sets, foreground).judge]).toEqual([]);
    expect([...graph.upsert(sets, objectOf('o', { deleting: true, finalizers: ['orphan'] })).orphan]).toEqual(['o']);
  });
  it('goes on with a waiting owner when a dependent goes, lets it loose or unblocks it', () => {
    const graph = new OwnerGraph();
    graph.upsert(sets, objectOf('rs', { deleting: true, finalizers: ['foregroundDeletion'] }));
    for (const uid of ['a', 'b', 'c']) graph.upsert(pods, objectOf(uid, { owners: [refOf('rs')] }));
    expect([...graph.remove('a').judge]).toEqual(['rs']);
    expect([...graph.upsert(pods, objectOf('b')).judge]).toEqual(['rs']);
    const unblocked = objectOf('c', { owners: [refOf('rs', { blockOwnerDeletion: false })] });
    expect([...graph.upsert(pods, unblocked).judge]).toEqual(['rs']);
  });
  it('judges a dependent that describes its owner wrongly', () => {
    const graph = new OwnerGraph();
    graph.upsert(pods, objectOf('p', { owners: [refOf('rs', { name: 'other' })] }));
    expect([...graph.upsert(sets, objectOf('rs')).judge]).toEqual(['p']);
  });
  it('forgets places that nobody refers to', () => {
    const graph = new OwnerGraph();
    graph.upsert(pods, objectOf('p', { owners: [refOf('rs')] }));
    graph.remove('p');
    expect(graph.size).toBe(0);
  });
});

describe('judge', () => {
  const nodeOf = (shape: Shape, dependents: readonly Shape[] = []) => {
    const graph = new OwnerGraph();
    graph.upsert(pods, objectOf('n', shape));
    for (const [at, dependent] of dependents.entries()) {
      graph.upsert(pods, objectOf(`d${at}`, { owners: [refOf('n')], ...dependent }));
    }
    const node = graph.get('n');
    if (node === undefined) throw new Error('no node');
    return node;
  };
  const two = [refOf('o1'), refOf('o2')];
  const cases: readonly (readonly [string, Shape, readonly Shape[], Record<string, OwnerState>, object])[] = [
    ['no owners', {}, [], {}, { kind: 'keep' }],
    ['all owners there', { owners: two }, [], { o1: 'solid', o2: 'solid' }, { kind: 'keep' }],
    ['one of two gone', { owners: two }, [], { o1: 'absent', o2: 'solid' }, { kind: 'drop-owners', uids: ['o1'] }],
    ['one of two waiting', { owners: two }, [], { o1: 'waiting', o2: 'solid' }, { kind: 'drop-owners', uids: ['o1'] }],
    ['all gone', { owners: two }, [], { o1: 'absent', o2: 'absent' }, { kind: 'delete', policy: 'Background' }],
    [
      'gone, wants to orphan',
      { owners: two, finalizers: ['orphan'] },
      [],
      { o1: 'absent', o2: 'absent' },
      { kind: 'delete', policy: 'Orphan' },
    ],
    ['owner waits, leaf', { owners: [refOf('o1')] }, [], { o1: 'waiting' }, { kind: 'delete', policy: 'Background' }],
    [
      'owner waits, has dependents',
      { owners: [refOf('o1')] },
      [{}],
      { o1: 'waiting' },
      { kind: 'delete', policy: 'Foreground', unblock: false },
    ],
    [
      'circle',
      { owners: [refOf('o1')] },
      [{ deleting: true, finalizers: ['foregroundDeletion'] }],
      { o1: 'waiting' },
      { kind: 'delete', unblock: true },
    ],
    ['going already', { owners: two, deleting: true }, [], { o1: 'absent', o2: 'absent' }, { kind: 'keep' }],
    [
      'waits for a blocking dependent',
      { deleting: true, finalizers: ['foregroundDeletion'] },
      [{}],
      {},
      { kind: 'await-dependents', judge: ['d0'] },
    ],
    [
      'waits for nobody',
      { deleting: true, finalizers: ['foregroundDeletion'] },
      [{ owners: [refOf('n', { blockOwnerDeletion: false })] }],
      {},
      { kind: 'remove-finalizer', finalizer: 'foregroundDeletion' },
    ],
  ];
  it.each(cases)('%s', (_, shape, dependents, states, expected) => {
    expect(judge(nodeOf(shape, dependents), (owner) => states[owner.uid] ?? 'solid')).toMatchObject(expected);
  });
});
