import type { ClusterRole } from '@wherry/api';
import { expect, it } from 'vitest';
import { aggregatedRules } from './plan.ts';

const get = { verbs: ['get'], apiGroups: [''], resources: ['pods'] };
const list = { verbs: ['list'], apiGroups: [''], resources: ['pods'] };
const part = (name: string, rules: ClusterRole['rules'], label = 'true'): ClusterRole => ({
  metadata: { name, labels: { view: label } },
  ...(rules && { rules }),
});
const whole = (rules: ClusterRole['rules'] = []): ClusterRole => ({
  metadata: { name: 'view' },
  aggregationRule: { clusterRoleSelectors: [{ matchLabels: { view: 'true' } }] },
  ...(rules && { rules }),
});

it.each([
  [
    'joins the rules of all parts, by name, each once',
    whole(),
    [part('b', [get, list]), part('a', [get])],
    [get, list],
  ],
  ['drops what is no longer selected', whole([get]), [part('a', [get], 'false')], []],
  ['has nothing to do', whole([get]), [part('a', [get])], undefined],
  ['leaves ordinary roles alone', part('a', [get]), [part('b', [list])], undefined],
] as const)('%s', (_, role, all, expected) => {
  expect(aggregatedRules(role, all)).toEqual(expected);
});
