import type { Pod, PodDisruptionBudget, PodDisruptionBudgetSpec, PodDisruptionBudgetStatus } from '@wherry/api';
import { describe, expect, it } from 'vitest';
import { planDisruption, protectedPods } from './plan.ts';

const NOW = '2025-01-01T00:10:00Z';
const budgetOf = (spec: PodDisruptionBudgetSpec, status?: PodDisruptionBudgetStatus): PodDisruptionBudget => ({
  metadata: { name: 'b', namespace: 'ns', generation: 1 },
  spec,
  ...(status && { status }),
});
const podOf = (name: string, ready = true, deleting = false): Pod => ({
  metadata: { name, labels: { app: 'a' }, ...(deleting && { deletionTimestamp: 'x' }) },
  status: { phase: 'Running', conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
});
const pods = [podOf('a'), podOf('b'), podOf('c'), podOf('d', false)];
const plan = (budget: PodDisruptionBudget, of: readonly Pod[] = pods, replicas = 4) =>
  planDisruption({ budget, pods: of, scaleOf: () => ({ owner: 'o', replicas }), nowMs: Date.parse(NOW), now: NOW });

describe('planDisruption', () => {
  const cases: readonly (readonly [string, PodDisruptionBudgetSpec, readonly number[]])[] = [
    ['a number must be available', { minAvailable: 2 }, [3, 2, 4, 1]],
    ['a share must be available, rounded up', { minAvailable: '60%' }, [3, 3, 4, 0]],
    ['a number may be missing', { maxUnavailable: 2 }, [3, 2, 4, 1]],
    ['a share may be missing, rounded up', { maxUnavailable: '30%' }, [3, 2, 4, 1]],
    ['never below zero', { minAvailable: 9 }, [3, 9, 4, 0]],
  ];
  it.each(cases)('%s', (_, spec, [currentHealthy, desiredHealthy, expectedPods, disruptionsAllowed]) => {
    expect(plan(budgetOf(spec)).status).toMatchObject({
      currentHealthy,
      desiredHealthy,
      expectedPods,
      disruptionsAllowed,
    });
  });
  it('counts granted evictions until they are carried out or too old', () => {
    const disruptedPods = { a: '2025-01-01T00:09:30Z', b: '2025-01-01T00:00:00Z', gone: NOW };
    const status = { currentHealthy: 0, desiredHealthy: 0, expectedPods: 0, disruptionsAllowed: 0, disruptedPods };
    const result = plan(budgetOf({ minAvailable: 1 }, status));
    expect(result.status).toMatchObject({ currentHealthy: 2, disruptedPods: { a: '2025-01-01T00:09:30Z' } });
    expect(result.requeueAfterMs).toBe(90_000);
  });
  it('says whether it allows anything, and repeats nothing', () => {
    const { status } = plan(budgetOf({ minAvailable: 3 }));
    expect(status?.conditions?.[0]).toMatchObject({
      type: 'DisruptionAllowed',
      status: 'False',
      reason: 'InsufficientPods',
    });
    expect(plan(budgetOf({ minAvailable: 3 }, status)).status).toBeUndefined();
  });
  it('allows nothing where nothing is expected', () => {
    expect(plan(budgetOf({ maxUnavailable: 1 }), [], 0).status).toMatchObject({
      expectedPods: 0,
      disruptionsAllowed: 0,
    });
  });
});

it('protects what it selects', () => {
  const ended: Pod = { ...podOf('e'), status: { phase: 'Failed' } };
  const select = (selector: object | undefined) =>
    protectedPods(budgetOf({ ...(selector && { selector }) }), [podOf('a'), ended]).length;
  expect([select(undefined), select({}), select({ matchLabels: { app: 'b' } })]).toEqual([0, 1, 0]);
});
