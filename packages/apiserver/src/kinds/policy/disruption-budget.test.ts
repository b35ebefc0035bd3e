import type { PodDisruptionBudget, PodDisruptionBudgetSpec } from '@wherry/api';
import { describe, expect, it } from 'vitest';
import { createRefusals, row, subresourceRefusals } from '../validation-cases.ts';
import { disruptionBudgetStrategy } from './disruption-budget.ts';

function budget(spec: PodDisruptionBudgetSpec): PodDisruptionBudget {
  return { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata: { name: 'b', namespace: 'default' }, spec };
}

describe('a PodDisruptionBudget', () => {
  const cases: readonly (readonly [string, PodDisruptionBudgetSpec, readonly string[]])[] = [
    ['a minimum', { minAvailable: '50%', selector: { matchLabels: { a: 'b' } } }, []],
    [
      'both bounds',
      { minAvailable: 1, maxUnavailable: 1 },
      [
        'spec: Invalid value: {"minAvailable":1,"maxUnavailable":1}: minAvailable and maxUnavailable cannot be both set',
      ],
    ],
    [
      'more than everything',
      { maxUnavailable: '101%' },
      ['spec.maxUnavailable: Invalid value: "101%": must not be greater than 100%'],
    ],
    [
      'words for a number',
      { maxUnavailable: 'few' },
      [
        "spec.maxUnavailable: Invalid value: \"few\": a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')",
      ],
    ],
    [
      'an unknown policy',
      { unhealthyPodEvictionPolicy: 'Never' },
      [
        'spec.unhealthyPodEvictionPolicy: Unsupported value: "Never": supported values: "AlwaysAllow", "IfHealthyBudget"',
      ],
    ],
  ];
  it.each(cases)('with %s', (_name, spec, refusals) => {
    expect(createRefusals(disruptionBudgetStrategy, budget(spec))).toEqual(refusals);
  });

  it('counts from nothing up', () => {
    const old = budget({ maxUnavailable: 1 });
    const status = { disruptionsAllowed: -1, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 };
    expect(subresourceRefusals(disruptionBudgetStrategy, 'status', old, { ...old, status })).toEqual([
      'status.disruptionsAllowed: Invalid value: -1: must be greater than or equal to 0',
    ]);
  });

  it('is shown with its bounds', () => {
    expect(row(disruptionBudgetStrategy, budget({ maxUnavailable: '10%' }))).toMatchObject({
      'Min Available': 'N/A',
      'Max Unavailable': '10%',
      'Allowed Disruptions': 0,
    });
  });
});
