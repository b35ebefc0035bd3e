import { facts } from '@wherry/api';
import { describe, expect, it } from 'vitest';
import { threeWayPatch } from './three-way.ts';

const schema = facts.ofKind('apps', 'v1', 'Deployment');
const deployment = (spec: object, metadata: object = {}) => ({ metadata: { name: 'web', ...metadata }, spec });
const pod = (...containers: object[]) => ({ template: { spec: { containers } } });

describe('threeWayPatch', () => {
  it('is empty when the live object is as wanted, whatever else it has', () => {
    const manifest = deployment({ replicas: 3, ...pod({ name: 'a', image: 'x' }) });
    const live = deployment(
      {
        replicas: 3,
        strategy: { type: 'RollingUpdate' },
        ...pod({ name: 'a', image: 'x', imagePullPolicy: 'Always' }),
      },
      { uid: 'u' },
    );
    expect(threeWayPatch(manifest, manifest, live, schema)).toEqual({});
  });

  it('changes fields and removes those dropped since the last apply, and no others', () => {
    const last = deployment({ replicas: 3, paused: true, minReadySeconds: 5 });
    const live = deployment({ replicas: 3, paused: true, minReadySeconds: 5, revisionHistoryLimit: 7 });
    expect(threeWayPatch(last, deployment({ replicas: 4, minReadySeconds: 5 }), live, schema)).toEqual({
      spec: { replicas: 4, paused: null },
    });
  });

  it('patches list items by their merge key and deletes dropped ones', () => {
    const last = deployment(pod({ name: 'a', image: 'x' }, { name: 'old', image: 'y' }));
    const manifest = deployment(pod({ name: 'a', image: 'x2' }, { name: 'new', image: 'z' }));
    const live = deployment(
      pod({ name: 'a', image: 'x' }, { name: 'old', image: 'y' }, { name: 'sidecar', image: 'injected' }),
    );
    expect(threeWayPatch(last, manifest, live, schema)).toEqual({
      spec: {
        template: {
          spec: {
            containers: [
              { image: 'x2', name: 'a' },
              { name: 'new', image: 'z' },
              { $patch: 'delete', name: 'old' },
            ],
          },
        },
      },
    });
  });

  it('keeps only the named members of a union', () => {
    const last = deployment({ strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } } });
    const live = deployment({
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: '25%' } },
    });
    expect(threeWayPatch(last, deployment({ strategy: { type: 'Recreate' } }), live, schema)).toEqual({
      spec: { strategy: { type: 'Recreate', rollingUpdate: null, $retainKeys: ['type'] } },
    });
  });

  it('adds to and removes from sets', () => {
    const last = { metadata: { finalizers: ['a', 'b'] } };
    const live = { metadata: { finalizers: ['a', 'b', 'theirs'] } };
    expect(threeWayPatch(last, { metadata: { finalizers: ['b', 'c'] } }, live, schema)).toEqual({
      metadata: { finalizers: ['c'], '$deleteFromPrimitiveList/finalizers': ['a'] },
    });
  });

  it('replaces lists of custom resources whole', () => {
    expect(threeWayPatch({}, { spec: { list: [1, 2] } }, { spec: { list: [1] } }, undefined)).toEqual({
      spec: { list: [1, 2] },
    });
  });
});
