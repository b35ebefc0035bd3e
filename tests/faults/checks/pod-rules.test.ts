import type { Event, Pod } from '@wherry/api';
import { expect, it } from 'vitest';
import { podProblems, schedulingProblems } from './pod-rules.ts';
import type { Seen } from './watch-history.ts';

let revision = 0n;

function seen(type: Seen<Pod>['type'], name: string, uid: string, nodeName = ''): Seen<Pod> {
  revision += 1n;
  const object = { metadata: { name, namespace: 'x', uid }, spec: { nodeName } } as Pod;
  return { type, revision, key: `x/${name}`, object, atMs: 0 };
}

it.each([
  { name: 'bound once', events: [seen('ADDED', 'a', '1'), seen('MODIFIED', 'a', '1', 'n1')], says: [] },
  {
    name: 'bound twice',
    events: [seen('ADDED', 'a', '1', 'n1'), seen('MODIFIED', 'a', '1', 'n2')],
    says: [/bound to n1 and then to "n2"/],
  },
  {
    name: 'unbound',
    events: [seen('ADDED', 'a', '1', 'n1'), seen('MODIFIED', 'a', '1')],
    says: [/bound to n1 and then to ""/],
  },
  {
    name: 'replaced under its name after its deletion',
    events: [seen('ADDED', 'a', '1', 'n1'), seen('DELETED', 'a', '1', 'n1'), seen('ADDED', 'a', '2', 'n2')],
    says: [],
  },
  {
    name: 'replaced under its name without one',
    events: [seen('ADDED', 'a', '1', 'n1'), seen('ADDED', 'a', '2', 'n2')],
    says: [/and 1 was never deleted/],
  },
])('podProblems: $name', ({ events, says }) => {
  const problems = podProblems(events);
  expect(problems).toHaveLength(says.length);
  for (const [index, pattern] of says.entries()) expect(problems[index]).toMatch(pattern);
});

it('schedulingProblems finds a pod that was scheduled to two nodes', () => {
  const said = (uid: string, message: string): Seen<Event> => ({
    type: 'ADDED',
    revision: 1n,
    key: 'x/e',
    object: { reason: 'Scheduled', involvedObject: { uid }, message } as Event,
    atMs: 0,
  });
  expect(schedulingProblems([said('1', 'to n1'), said('1', 'to n1'), said('2', 'to n2')])).toEqual([]);
  expect(schedulingProblems([said('1', 'to n1'), said('1', 'to n2')])).toHaveLength(1);
});
