import type { Configuration, LogIndex, NodeId } from './types.ts';

/** All whose votes count: in a joint configuration those of both halves. */
export function votersOf({ voters, outgoing }: Configuration): NodeId[] {
  return outgoing.length === 0 ? [...voters] : [...new Set([...voters, ...outgoing])];
}

/** All that get the log, in order of their ids. */
export function membersOf(configuration: Configuration): NodeId[] {
  const { learners, learnersNext } = configuration;
  return [...new Set([...votersOf(configuration), ...learners, ...learnersNext])].sort((a, b) => a - b);
}

/**
 * The highest index that a quorum has reached: a majority of `voters`, and of `outgoing` where there are any. Nobody
 * decides in an empty half, so it does not hold the other one back.
 */
export function quorumIndex({ voters, outgoing }: Configuration, matchOf: (id: NodeId) => LogIndex): LogIndex {
  return Math.min(majorityIndex(voters, matchOf), majorityIndex(outgoing, matchOf)) as LogIndex;
}

/** Whether a quorum consists of members for which `holds` is true. */
export function hasQuorum({ voters, outgoing }: Configuration, holds: (id: NodeId) => boolean): boolean {
  return hasMajority(voters, holds) && hasMajority(outgoing, holds);
}

export type VoteResult = 'won' | 'lost' | 'pending';

/** `lost` as soon as one half cannot agree any more. */
export function voteResult(configuration: Configuration, votes: ReadonlyMap<NodeId, boolean>): VoteResult {
  if (hasQuorum(configuration, (id) => votes.get(id) === true)) return 'won';
  if (hasQuorum(configuration, (id) => votes.get(id) !== false)) return 'pending';
  return 'lost';
}

function majorityIndex(voters: readonly NodeId[], matchOf: (id: NodeId) => LogIndex): number {
  if (voters.length === 0) return Number.POSITIVE_INFINITY;
  if (voters.length === 1) return matchOf(voters[0] as NodeId);
  const matches = voters.map(matchOf).sort((a, b) => b - a);
  return matches[majority(voters) - 1] as LogIndex;
}

function hasMajority(voters: readonly NodeId[], holds: (id: NodeId) => boolean): boolean {
  if (voters.length === 0) return true;
  let count = 0;
  for (const id of voters) if (holds(id)) count++;
  return count >= majority(voters);
}

function majority(voters: readonly NodeId[]): number {
  return Math.floor(voters.length / 2) + 1;
}
