import { membersOf } from './quorum.ts';
import type { Configuration, ConfigurationChange, NodeId } from './types.ts';

export type ChangeOutcome =
  | { readonly configuration: Configuration }
  /** The change makes no sense here; nothing is changed. */
  | { readonly refused: string };

/** Sets that are being changed. */
interface Draft {
  readonly voters: Set<NodeId>;
  readonly outgoing: Set<NodeId>;
  readonly learners: Set<NodeId>;
  readonly learnersNext: Set<NodeId>;
}

/**
 * The configuration after a change, by the rules of etcd-io/raft's ConfChangeV2: an empty change leaves the joint
 * configuration, several at once (or a transition asked for) enter one, a single one is made directly.
 */
export function changeConfiguration(before: Configuration, change: ConfigurationChange): ChangeOutcome {
  if (leavesJoint(change)) return leaveJoint(before);
  if (entersJoint(change)) return enterJoint(before, change);
  return changeOne(before, change);
}

/** Whether the change is the one by which a joint configuration ends. */
export function leavesJoint(change: ConfigurationChange): boolean {
  return change.changes.length === 0 && change.transition === 'auto';
}

export function entersJoint({ transition, changes }: ConfigurationChange): boolean {
  return transition !== 'auto' || changes.length > 1;
}

export function isJoint({ outgoing }: Configuration): boolean {
  return outgoing.length > 0;
}

function enterJoint(before: Configuration, change: ConfigurationChange): ChangeOutcome {
  if (isJoint(before)) return { refused: 'the configuration is joint already' };
  if (before.voters.length === 0) return { refused: 'a configuration without voters cannot become joint' };
  const draft = draftOf(before);
  for (const id of before.voters) draft.outgoing.add(id);
  return finished(draft, change, change.transition !== 'jointExplicit');
}

function leaveJoint(before: Configuration): ChangeOutcome {
  if (!isJoint(before)) return { refused: 'the configuration is not joint' };
  const learners = sorted([...before.learners, ...before.learnersNext]);
  const configuration = { voters: before.voters, outgoing: [], learners, learnersNext: [], autoLeave: false };
  return { configuration };
}

function changeOne(before: Configuration, change: ConfigurationChange): ChangeOutcome {
  if (isJoint(before)) return { refused: 'the configuration is joint: it has to be left first' };
  return finished(draftOf(before), change, false);
}

function finished(draft: Draft, change: ConfigurationChange, autoLeave: boolean): ChangeOutcome {
  for (const { kind, id } of change.changes) {
    if (kind === 'addVoter') addVoter(draft, id);
    else if (kind === 'addLearner') addLearner(draft, id);
    else remove(draft, id);
  }
  if (draft.voters.size === 0) return { refused: 'no voter would be left' };
  const configuration = {
    voters: sorted(draft.voters),
    outgoing: sorted(draft.outgoing),
    learners: sorted(draft.learners),
    learnersNext: sorted(draft.learnersNext),
    autoLeave,
  };
  return { configuration };
}

function addVoter({ voters, learners, learnersNext }: Draft, id: NodeId): void {
  learners.delete(id);
  learnersNext.delete(id);
  voters.add(id);
}

/** A voter of the outgoing half stays one until that half is gone: nobody is voter and learner at a time. */
function addLearner({ voters, outgoing, learners, learnersNext }: Draft, id: NodeId): void {
  voters.delete(id);
  (outgoing.has(id) ? learnersNext : learners).add(id);
}

function remove({ voters, learners, learnersNext }: Draft, id: NodeId): void {
  voters.delete(id);
  learners.delete(id);
  learnersNext.delete(id);
}

function draftOf({ voters, outgoing, learners, learnersNext }: Configuration): Draft {
  return {
    voters: new Set(voters),
    outgoing: new Set(outgoing),
    learners: new Set(learners),
    learnersNext: new Set(learnersNext),
  };
}

function sorted(ids: Iterable<NodeId>): NodeId[] {
  return [...new Set(ids)].sort((a, b) => a - b);
}

/** What must hold of every configuration. Returns what is wrong, if anything. */
export function problemOf(configuration: Configuration): string | undefined {
  const { voters, outgoing, learners, learnersNext, autoLeave } = configuration;
  for (const id of learners) if (voters.includes(id) || outgoing.includes(id)) return `${id} votes and learns`;
  for (const id of learnersNext) if (!outgoing.includes(id)) return `${id} is to learn, but is no outgoing voter`;
  for (const id of learnersNext) if (voters.includes(id)) return `${id} is to vote and to learn`;
  if (outgoing.length === 0 && (learnersNext.length > 0 || autoLeave)) return 'it is not joint, yet to be left';
  return membersOf(configuration).length > 0 && voters.length === 0 ? 'nobody votes' : undefined;
}
