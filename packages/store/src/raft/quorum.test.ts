import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { changeConfiguration, problemOf } from './configuration.ts';
import { hasQuorum, quorumIndex, voteResult } from './quorum.ts';
import { type Configuration, type ConfigurationChange, type LogIndex, type NodeId, votersOnly } from './types.ts';

const ids = (...numbers: number[]) => numbers as NodeId[];
const joint = (voters: NodeId[], outgoing: NodeId[]): Configuration => ({ ...votersOnly(voters), outgoing });

describe('quorums', () => {
  it.each<[string, Configuration, Record<number, number>, number]>([
    ['one member', votersOnly(ids(1)), { 1: 5 }, 5],
    ['three members', votersOnly(ids(1, 2, 3)), { 1: 5, 2: 3, 3: 1 }, 3],
    ['four members', votersOnly(ids(1, 2, 3, 4)), { 1: 5, 2: 4, 3: 2, 4: 1 }, 2],
    ['both halves of a joint one', joint(ids(1, 2, 3), ids(3, 4, 5)), { 1: 9, 2: 9, 3: 9, 4: 2, 5: 1 }, 2],
    ['halves that share nobody', joint(ids(1), ids(2)), { 1: 9, 2: 4 }, 4],
  ])('commit what a majority of %s has', (_name, configuration, matches, index) => {
    expect(quorumIndex(configuration, (id) => (matches[id] ?? 0) as LogIndex)).toBe(index);
  });

  it.each<[Configuration, Record<number, boolean>, string]>([
    [votersOnly(ids(1, 2, 3)), { 1: true }, 'pending'],
    [votersOnly(ids(1, 2, 3)), { 1: true, 2: true }, 'won'],
    [votersOnly(ids(1, 2, 3)), { 2: false, 3: false }, 'lost'],
    [votersOnly(ids(1, 2)), { 2: false }, 'lost'],
    [joint(ids(1, 2), ids(3)), { 1: true, 2: true }, 'pending'],
    [joint(ids(1, 2), ids(3)), { 3: false }, 'lost'],
    [joint(ids(1, 2), ids(2, 3)), { 1: true, 2: true, 3: true }, 'won'],
  ])('count votes of %j given %j as %s', (configuration, votes, result) => {
    const entries = Object.entries(votes).map(([id, vote]) => [Number(id) as NodeId, vote] as const);
    expect(voteResult(configuration, new Map(entries))).toBe(result);
  });

  const someIds = fc.uniqueArray(fc.integer({ min: 1, max: 7 }), { maxLength: 7 }).map((list) => list as NodeId[]);
  const someVoters = someIds.filter((list) => list.length > 0);
  const subsets = (list: readonly NodeId[]): NodeId[][] =>
    Array.from({ length: 2 ** list.length }, (_, bits) => list.filter((_id, i) => (bits >> i) % 2 === 1));
  const majorities = (list: readonly NodeId[]) => subsets(list).filter((some) => 2 * some.length > list.length);

  it('agree with trying every majority', () => {
    const index = fc.integer({ min: 0, max: 5 });
    fc.assert(
      fc.property(someVoters, someIds, fc.array(index, { minLength: 8, maxLength: 8 }), (voters, outgoing, matches) => {
        const matchOf = (id: NodeId) => (matches[id] ?? 0) as LogIndex;
        const best = (list: readonly NodeId[]) =>
          Math.max(...majorities(list).map((some) => Math.min(...some.map(matchOf))));
        const brute = Math.min(best(voters), outgoing.length === 0 ? Number.POSITIVE_INFINITY : best(outgoing));
        expect(quorumIndex(joint(voters, outgoing), matchOf)).toBe(brute);
        for (const at of [0, 1, 2, 3, 4, 5]) {
          expect(hasQuorum(joint(voters, outgoing), (id) => matchOf(id) >= at)).toBe(brute >= at);
        }
      }),
    );
  });

  it('of a configuration and the next one always meet, also by way of joint ones', () => {
    const change = fc.record<ConfigurationChange>({
      transition: fc.constantFrom('auto', 'jointImplicit', 'jointExplicit'),
      changes: fc.array(
        fc.record({
          kind: fc.constantFrom('addVoter', 'addLearner', 'remove'),
          id: fc.integer({ min: 1, max: 5 }).map((id) => id as NodeId),
        }),
        { maxLength: 4 },
      ),
    });
    const quorumsOf = ({ voters, outgoing }: Configuration): NodeId[][] => {
      const everybody = [...new Set([...voters, ...outgoing])];
      return subsets(everybody).filter((some) =>
        hasQuorum(joint([...voters], [...outgoing]), (id) => some.includes(id)),
      );
    };
    fc.assert(
      fc.property(fc.array(change, { maxLength: 12 }), (changes) => {
        let before = votersOnly(ids(1, 2, 3));
        for (const each of changes) {
          const outcome = changeConfiguration(before, each);
          if ('refused' in outcome) continue;
          const after = outcome.configuration;
          expect(problemOf(after)).toBeUndefined();
          for (const one of quorumsOf(before)) {
            for (const other of quorumsOf(after)) expect(one.some((id) => other.includes(id))).toBe(true);
          }
          before = after;
        }
      }),
    );
  });
});
