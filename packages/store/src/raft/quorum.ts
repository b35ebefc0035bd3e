import type { Configuration, LogIndex, NodeId } from './types.ts';

/** Votes or acknowledgements that decide. */
export function quorumSize(configuration: Configuration): number {
  return Math.floor(configuration.voters.length / 2) + 1;
}

/** The highest index that a quorum has reached. */
export function quorumIndex(configuration: Configuration, matchOf: (id: NodeId) => LogIndex): LogIndex {
  const { voters } = configuration;
  if (voters.length === 1) return matchOf(voters[0] as NodeId);
  const matches = voters.map(matchOf).sort((a, b) => b - a);
  return matches[quorumSize(configuration) - 1] as LogIndex;
}

/** Whether a quorum consists of members for which `holds` is true. */
export function hasQuorum(configuration: Configuration, holds: (id: NodeId) => boolean): boolean {
  let count = 0;
  for (const id of configuration.voters) if (holds(id)) count++;
  return count >= quorumSize(configuration);
}

export type VoteResult = 'won' | 'lost' | 'pending';

export function voteResult(configuration: Configuration, votes: ReadonlyMap<NodeId, boolean>): VoteResult {
  if (hasQuorum(configuration, (id) => votes.get(id) === true)) return 'won';
  if (hasQuorum(configuration, (id) => votes.get(id) !== false)) return 'pending';
  return 'lost';
}
