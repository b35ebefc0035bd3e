import { changeConfiguration, isJoint } from './configuration.ts';
import { assert } from './log.ts';
import { Progress } from './progress.ts';
import { membersOf, votersOf } from './quorum.ts';
import { confirmReads } from './reads.ts';
import { advanceCommit, broadcast } from './replication.ts';
import { becomeFollower, envelope, isVoter, type RaftState, sendEarly } from './state.ts';
import { type Configuration, type ConfigurationChange, type LogIndex, NOBODY, type RefusalReason } from './types.ts';

/**
 * Leader: puts a change of configuration into the log. One at a time, and the next one only once the one before is
 * applied here (Raft thesis §4.1); in a joint configuration only the change that leaves it.
 */
export function proposeConfiguration(state: RaftState, change: ConfigurationChange, data: Buffer): void {
  const reason = refusalOf(state, change);
  if (reason !== undefined) state.outbox.refused.push({ data, reason });
  else append(state, data);
}

function refusalOf(state: RaftState, change: ConfigurationChange): RefusalReason | undefined {
  if (state.role !== 'leader') return 'noLeader';
  if (state.transferee !== NOBODY) return 'transferring';
  if (state.log.applied < state.pendingConfiguration || state.configuring !== undefined) return 'pendingChange';
  const after = changeConfiguration(state.configuration, change);
  return 'refused' in after ? 'impossibleChange' : undefined;
}

/** Leader: the joint configuration is applied and to be left without being asked. */
export function leaveIsDue(state: RaftState): boolean {
  const { configuration, log } = state;
  return (
    state.role === 'leader' &&
    isJoint(configuration) &&
    configuration.autoLeave &&
    state.transferee === NOBODY &&
    state.configuring === undefined &&
    log.applied >= state.pendingConfiguration
  );
}

/** An entry without data: whoever applies it leaves the joint configuration. */
export function proposeLeave(state: RaftState): void {
  append(state, Buffer.alloc(0));
}

function append(state: RaftState, data: Buffer): void {
  state.log.append(state.term, [data], 'configuration');
  state.uncommittedBytes += data.length;
  state.pendingConfiguration = state.log.lastIndex;
  state.broadcastDue = true;
}

/** The driver has applied the entry that was handed out last. @param change undefined: it had no effect */
export function configure(state: RaftState, index: LogIndex, change: ConfigurationChange | undefined): void {
  assert(state.configuring === index, `Configuration of entry ${index} was applied, ${state.configuring} is due`);
  state.configuring = undefined;
  const after = change === undefined ? undefined : changeConfiguration(state.configuration, change);
  if (after !== undefined && 'configuration' in after) switchTo(state, after.configuration);
}

function switchTo(state: RaftState, configuration: Configuration): void {
  state.configuration = configuration;
  if (state.role !== 'leader') return;
  const members = membersOf(configuration);
  for (const id of members) {
    if (id === state.config.id || state.progress.has(id)) continue;
    const progress = new Progress(state.config, state.log.lastIndex);
    // It has had no chance yet to be heard of.
    progress.active = true;
    state.progress.set(id, progress);
  }
  if (!isVoter(state)) {
    resign(state);
    return;
  }
  for (const id of state.progress.keys()) {
    if (members.includes(id)) continue;
    // Best effort: tells it that its removal is committed.
    sendCommit(state, id);
    state.progress.delete(id);
  }
  if (state.transferee !== NOBODY && !votersOf(configuration).includes(state.transferee)) state.transferee = NOBODY;
  advanceCommit(state);
  confirmReads(state);
  state.broadcastDue = true;
}

/** A leader that is no voter any more goes, and names a successor so that nobody waits for a timeout. */
function resign(state: RaftState): void {
  broadcast(state);
  const heirs = votersOf(state.configuration).filter((id) => state.progress.get(id)?.match === state.log.lastIndex);
  const [heir] = heirs;
  if (heir !== undefined) sendEarly(state, { ...envelope(state, heir), kind: 'timeoutNow' });
  becomeFollower(state, state.term, NOBODY);
}

function sendCommit(state: RaftState, to: Parameters<typeof envelope>[1]): void {
  const match = state.progress.get(to)?.match ?? 0;
  const commit = Math.min(match, state.log.committed) as LogIndex;
  sendEarly(state, { ...envelope(state, to), kind: 'heartbeat', commit, round: state.heartbeatRound });
}

/** Whether somebody may campaign: not while a committed change waits to be applied, for its quorum may be another. */
export function knowsItsConfiguration({ log, configuring }: RaftState): boolean {
  return configuring === undefined && !log.hasConfiguration(log.applied + 1, log.committed);
}
