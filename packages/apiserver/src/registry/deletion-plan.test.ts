import type { ApiObject } from '@wherry/api';
import { rfc3339 } from '@wherry/daemon';
import { describe, expect, it } from 'vitest';
import { strategyFor } from '../kinds/index.ts';
import type { Strategy } from '../kinds/strategy.ts';
import { type DeletionRequest, planDeletion } from './deletion-plan.ts';

const now = Date.UTC(2026, 0, 1);
const plain = strategyFor({ group: '', resource: 'configmaps' });
const graceful: Strategy = { ...plain, gracefulDeletion: (_object, requested) => requested ?? 30 };
const object = (metadata: ApiObject['metadata']): ApiObject => ({
  kind: 'X',
  apiVersion: 'v1',
  metadata: { name: 'x', ...metadata },
});
const plan = (of: ApiObject, strategy: Strategy, request: Partial<DeletionRequest> = {}) =>
  planDeletion(of, strategy, { gracePeriodSeconds: undefined, propagation: undefined, ...request }, now, rfc3339);

describe('planDeletion', () => {
  it('removes what nothing holds', () => {
    expect(plan(object({}), plain)).toEqual({ kind: 'remove' });
  });

  it('marks what finalizers hold, once', () => {
    const marked = plan(object({ finalizers: ['x/a'], generation: 1 }), plain);
    expect(marked).toMatchObject({
      kind: 'mark',
      object: { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z', deletionGracePeriodSeconds: 0, generation: 2 } },
    });
    expect(plan(object({ finalizers: ['x/a'], deletionTimestamp: '2026-01-01T00:00:00Z' }), plain)).toEqual({
      kind: 'keep',
    });
  });

  it.each([
    ['Orphan', ['orphan']],
    ['Foreground', ['foregroundDeletion']],
  ] as const)('holds it for the garbage collector on %s', (propagation, finalizers) => {
    expect(plan(object({}), plain, { propagation })).toMatchObject({
      kind: 'mark',
      object: { metadata: { finalizers } },
    });
  });

  it('lets Background undo an earlier wish', () => {
    expect(plan(object({ finalizers: ['orphan'] }), plain, { propagation: 'Background' })).toEqual({ kind: 'remove' });
  });

  it('orphans by default where the kind says so', () => {
    expect(plan(object({}), { ...plain, defaultDeletion: 'orphan' })).toMatchObject({ kind: 'mark' });
  });

  it('gives time, shortens it, never lengthens it', () => {
    const first = plan(object({}), graceful);
    expect(first).toMatchObject({
      kind: 'mark',
      object: { metadata: { deletionTimestamp: '2026-01-01T00:00:30Z', deletionGracePeriodSeconds: 30 } },
    });
    const waiting = object({ deletionTimestamp: '2026-01-01T00:00:30Z', deletionGracePeriodSeconds: 30 });
    expect(plan(waiting, graceful, { gracePeriodSeconds: 5 })).toMatchObject({
      object: { metadata: { deletionTimestamp: '2026-01-01T00:00:05Z', deletionGracePeriodSeconds: 5 } },
    });
    expect(plan(waiting, graceful, { gracePeriodSeconds: 60 })).toEqual({ kind: 'keep' });
    expect(plan(waiting, graceful, { gracePeriodSeconds: 0 })).toEqual({ kind: 'remove' });
  });

  it('waits for a namespace to be emptied', () => {
    const namespace = {
      kind: 'Namespace',
      apiVersion: 'v1',
      metadata: { name: 'n' },
      spec: { finalizers: ['kubernetes'] },
    } as ApiObject;
    expect(plan(namespace, plain)).toMatchObject({ kind: 'mark', object: { status: { phase: 'Terminating' } } });
  });
});
