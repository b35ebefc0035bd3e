import { describe, expect, it } from 'vitest';
import { resources, resourceTable } from '../generated/resources.ts';
import { getCondition, setCondition } from './conditions.ts';
import { percentOf, scaledValue } from './int-or-string.ts';
import { controllerOf, controllerReference, objectKey, splitKey } from './objects.ts';
import { groupVersion, parseGroupVersion } from './resource.ts';

describe('resources', () => {
  it('names the preferred versions', () => {
    expect(resources.horizontalpodautoscalers.version).toBe('v2');
    expect(groupVersion(resources.deployments)).toBe('apps/v1');
    expect(resources.events.group).toBe('');
    expect(resources.eventsV1.group).toBe('events.k8s.io');
  });

  it('lists subresources with the kind of their bodies', () => {
    const deployments = resourceTable.find(({ resource }) => resource === 'deployments');
    expect(deployments?.subresources.find(({ name }) => name === 'scale')).toEqual({
      name: 'scale',
      group: 'autoscaling',
      version: 'v1',
      kind: 'Scale',
      verbs: ['get', 'patch', 'update'],
    });
    const pods = resourceTable.find(({ resource }) => resource === 'pods');
    expect(pods?.subresources.find(({ name }) => name === 'eviction')).toMatchObject({
      group: 'policy',
      kind: 'Eviction',
    });
    expect(pods?.shortNames).toEqual(['po']);
  });

  it('reads group versions', () => {
    expect(parseGroupVersion('apps/v1')).toEqual({ group: 'apps', version: 'v1' });
    expect(parseGroupVersion('v1')).toEqual({ group: '', version: 'v1' });
    expect(parseGroupVersion('a/b/c')).toBeUndefined();
    expect(parseGroupVersion('')).toBeUndefined();
  });
});

describe('objects', () => {
  it('keys', () => {
    expect(objectKey({ metadata: { namespace: 'a', name: 'b' } })).toBe('a/b');
    expect(objectKey({ metadata: { name: 'b' } })).toBe('b');
    expect(splitKey('a/b')).toEqual({ namespace: 'a', name: 'b' });
    expect(splitKey('b')).toEqual({ namespace: '', name: 'b' });
  });

  it('owners', () => {
    const owner = controllerReference(resources.replicasets, { metadata: { name: 'rs', uid: 'u' } });
    expect(owner).toMatchObject({
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      controller: true,
      blockOwnerDeletion: true,
    });
    expect(controllerOf({ ownerReferences: [{ ...owner, controller: false }, owner] })).toBe(owner);
  });
});

describe('setCondition', () => {
  const old = { type: 'Ready', status: 'True', reason: 'A', lastTransitionTime: 't1' };

  it('keeps the transition time while the status stays, and the list while nothing changes', () => {
    const list = [old];
    expect(setCondition(list, { ...old, lastTransitionTime: 't2' })).toBe(list);
    expect(setCondition(list, { ...old, reason: 'B', lastTransitionTime: 't2' })).toEqual([{ ...old, reason: 'B' }]);
    expect(setCondition(list, { ...old, status: 'False', lastTransitionTime: 't2' })[0]?.lastTransitionTime).toBe('t2');
    expect(getCondition(setCondition(undefined, old), 'Ready')).toBe(old);
  });
});

describe('scaledValue', () => {
  it.each([
    [3, 10, 'up', 3],
    ['25%', 10, 'up', 3],
    ['25%', 10, 'down', 2],
    ['25', 10, 'up', undefined],
  ] as const)('%s of %s rounded %s is %s', (value, total, rounding, expected) => {
    expect(scaledValue(value, total, rounding)).toBe(expected);
  });

  it('reads percentages', () => {
    expect(percentOf('30%')).toBe(30);
    expect(percentOf(3)).toBeUndefined();
  });
});
