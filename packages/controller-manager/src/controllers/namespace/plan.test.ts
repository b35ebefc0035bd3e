import { describe, expect, it } from 'vitest';
import { planNamespace, type Round } from './plan.ts';

const empty: Round = {
  discoveryFailures: [],
  deletionFailures: [],
  remaining: new Map(),
  finalizers: new Map(),
  graceSeconds: 0,
};

describe('planNamespace', () => {
  it('lets an empty namespace go', () => {
    expect(planNamespace({}, empty, 'now').kind).toBe('finalize');
  });
  it.each([
    ['half of the grace period', { remaining: new Map([['pods.', 2]]), graceSeconds: 30 }, 16_000],
    ['half of the usual estimate', { remaining: new Map([['widgets.example.com', 1]]) }, 8_000],
    ['a second after a failure', { deletionFailures: ['pods.: no'] }, 1_000],
  ] as const)('waits %s', (_, round, afterMs) => {
    expect(planNamespace({}, { ...empty, ...round }, 'now')).toMatchObject({ kind: 'wait', afterMs });
  });
  it('says what is left and what holds it', () => {
    const round = {
      ...empty,
      remaining: new Map([
        ['pods.', 2],
        ['jobs.batch', 1],
      ]),
      finalizers: new Map([['a/b', 1]]),
    };
    const told = planNamespace({}, round, 'now').conditions?.map(({ type, status, message }) => [
      type,
      status,
      message,
    ]);
    expect(told).toEqual([
      ['NamespaceDeletionDiscoveryFailure', 'False', 'All resources successfully discovered'],
      ['NamespaceDeletionGroupVersionParsingFailure', 'False', 'All legacy kube types successfully parsed'],
      ['NamespaceDeletionContentFailure', 'False', 'All content successfully deleted, may be waiting on finalization'],
      [
        'NamespaceContentRemaining',
        'True',
        'Some resources are remaining: jobs.batch has 1 resource instances, pods. has 2 resource instances',
      ],
      [
        'NamespaceFinalizersRemaining',
        'True',
        'Some content in the namespace has finalizers remaining: a/b in 1 resource instances',
      ],
    ]);
  });
  it('repeats nothing', () => {
    const conditions = planNamespace({}, { ...empty, discoveryFailures: ['metrics/v1'] }, 'now').conditions ?? [];
    expect(conditions[0]).toMatchObject({ status: 'True', reason: 'DiscoveryFailed' });
    expect(
      planNamespace({ status: { conditions } }, { ...empty, discoveryFailures: ['metrics/v1'] }, 'later').conditions,
    ).toBeUndefined();
  });
});
