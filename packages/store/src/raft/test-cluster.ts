import { Raft } from './raft.ts';
import {
  type Configuration,
  type ConfigurationChange,
  type Entry,
  type HardState,
  type Input,
  type LogIndex,
  type Message,
  NOBODY,
  type NodeId,
  type Output,
  raftDefaults,
  type SnapshotMeta,
  type Term,
  votersOnly,
} from './types.ts';

/** What a member's disk holds. */
interface Disk {
  hardState: HardState;
  snapshot: SnapshotMeta;
  entries: Entry[];
}

/**
 * Members wired to each other for tests: every turn is written down in one line per fact, messages wait in `wires`
 * until delivered, a write is durable at once unless `slowDisk` holds it back.
 */
export class TestCluster {
  readonly members = new Map<NodeId, Raft>();
  readonly disks = new Map<NodeId, Disk>();
  readonly applied = new Map<NodeId, Entry[]>();
  readonly trace: string[] = [];
  readonly cut = new Set<NodeId>();
  readonly slowDisk = new Set<NodeId>();
  readonly reads: string[] = [];
  wires: Message[] = [];
  #held = new Map<NodeId, Output[]>();

  constructor(ids: readonly number[], electionTimeouts: readonly number[] = []) {
    const voters = ids as NodeId[];
    for (const id of voters) {
      this.join(id, voters);
      this.start(id, electionTimeouts[id - 1] ?? 10 + id);
    }
  }

  /** Makes an empty disk. @param voters whom the log begins with */
  join(id: NodeId, voters: readonly NodeId[]): void {
    const snapshot = { index: 0 as LogIndex, term: 0 as Term, configuration: votersOnly(voters) };
    const hardState = { term: 0 as Term, vote: NOBODY, commit: 0 as LogIndex };
    this.disks.set(id, { hardState, snapshot, entries: [] });
  }

  /** (Re)starts a member from its disk. @param electionTimeout in ticks, 10 … 19 */
  start(id: NodeId, electionTimeout: number): void {
    const disk = this.disk(id);
    const random = () => (electionTimeout - 10) / 10;
    this.#held.set(id, []);
    this.applied.set(id, []);
    this.members.set(id, new Raft({ ...raftDefaults, id, random }, { ...disk, entries: [...disk.entries] }));
    this.turn(id);
  }

  member(id: number): Raft {
    return this.members.get(id as NodeId) as Raft;
  }

  disk(id: number): Disk {
    return this.disks.get(id as NodeId) as Disk;
  }

  input(id: number, input: Input): void {
    this.member(id).step(input);
    this.turn(id as NodeId);
  }

  tick(id: number, count = 1): void {
    for (let i = 0; i < count; i++) this.input(id, { kind: 'tick' });
  }

  propose(id: number, ...texts: readonly string[]): void {
    this.input(id, { kind: 'propose', data: texts.map((text) => Buffer.from(text)) });
  }

  change(id: number, change: ConfigurationChange): void {
    this.input(id, { kind: 'proposeConfiguration', change, data: Buffer.from(JSON.stringify(change)) });
  }

  /** Takes a snapshot of what is applied. @param kept entries left in the log behind it */
  snapshot(id: number, kept: number): void {
    const { log, configuration } = this.member(id).inspect;
    const index = log.applied;
    const snapshot = { index, term: log.termAt(index) ?? (0 as Term), configuration };
    const keepFrom = Math.max(1, index - kept + 1) as LogIndex;
    const disk = this.disk(id);
    disk.snapshot = snapshot;
    disk.entries = disk.entries.filter((entry) => entry.index >= keepFrom);
    this.input(id, { kind: 'snapshotTaken', snapshot, keepFrom });
  }

  /** Delivers what is on the wires, and what that causes, until nothing moves. */
  settle(): void {
    while (this.wires.length > 0) this.deliver();
  }

  /** Delivers what is on the wires now. */
  deliver(): void {
    const messages = this.wires;
    this.wires = [];
    for (const message of messages) {
      if (this.cut.has(message.from) || this.cut.has(message.to) || !this.members.has(message.to)) continue;
      this.input(message.to, { kind: 'message', message });
    }
  }

  /** Lets a slow disk finish what it holds. */
  flush(id: number): void {
    const held = this.#held.get(id as NodeId)?.splice(0) ?? [];
    for (const output of held) this.#persist(id as NodeId, output);
    this.turn(id as NodeId);
  }

  appliedText(id: number): string {
    return (this.applied.get(id as NodeId) ?? []).map((entry) => entry.data.toString()).join(' ');
  }

  /** The trace since the last call. */
  transcript(): string[] {
    return this.trace.splice(0);
  }

  turn(id: NodeId): void {
    const raft = this.member(id);
    while (raft.ready) {
      const output = raft.take();
      this.#say(id, output);
      this.wires.push(...output.sendNow);
      for (const { context, index } of output.reads) this.reads.push(`${id}: ${context} at ${index}`);
      this.applied.get(id)?.push(...output.apply.filter(({ data, kind }) => data.length > 0 && kind === undefined));
      const last = output.apply.at(-1);
      if (last?.kind === 'configuration') {
        raft.step({ kind: 'configure', index: last.index, change: readChange(last) });
        this.trace.push(`${id} configured ${configurationText(raft.inspect.configuration)}`);
      }
      if (this.slowDisk.has(id)) this.#held.get(id)?.push(output);
      else this.#persist(id, output);
    }
  }

  #persist(id: NodeId, output: Output): void {
    const disk = this.disk(id);
    if (output.install !== undefined) {
      disk.snapshot = output.install;
      disk.entries = [];
    }
    const first = output.entries[0];
    if (first !== undefined) {
      disk.entries = [...disk.entries.filter((entry) => entry.index < first.index), ...output.entries];
    }
    if (output.hardState !== undefined) disk.hardState = output.hardState;
    this.wires.push(...output.sendAfterPersist);
    this.member(id).step({ kind: 'persisted', sequence: output.sequence });
  }

  #say(id: NodeId, output: Output): void {
    const { hardState, install } = output;
    const say = (text: string) => this.trace.push(`${id} ${text}`);
    if (install !== undefined) say(`install ${install.index}`);
    if (hardState !== undefined) {
      say(`state term=${hardState.term} vote=${hardState.vote} commit=${hardState.commit}`);
    }
    if (output.entries.length > 0) say(`write ${output.entries.map(entryText).join(' ')}`);
    for (const message of output.sendNow) say(`send ${messageText(message)}`);
    for (const message of output.sendAfterPersist) say(`then send ${messageText(message)}`);
    if (output.apply.length > 0) say(`apply ${output.apply.map(entryText).join(' ')}`);
    for (const { reason } of output.refused) say(`refuse ${reason}`);
    for (const { context, reason } of output.refusedReads) say(`refuse read ${context} ${reason}`);
  }
}

function readChange({ data }: Entry): ConfigurationChange {
  return data.length === 0 ? { transition: 'auto', changes: [] } : JSON.parse(data.toString());
}

/** `(1 2 3)&&(1 2) learners=(4) next=(2) leaves`, what is empty left out. */
export function configurationText(configuration: Configuration): string {
  const { voters, outgoing, learners, learnersNext, autoLeave } = configuration;
  const parts = [`(${voters.join(' ')})${outgoing.length > 0 ? `&&(${outgoing.join(' ')})` : ''}`];
  if (learners.length > 0) parts.push(`learners=(${learners.join(' ')})`);
  if (learnersNext.length > 0) parts.push(`next=(${learnersNext.join(' ')})`);
  if (autoLeave) parts.push('leaves');
  return parts.join(' ');
}

function changeText(change: ConfigurationChange): string {
  const signs = { addVoter: 'v', addLearner: 'l', remove: 'r' };
  const changes = change.changes.map(({ kind, id }) => `${signs[kind]}${id}`).join(',');
  return change.transition === 'auto' ? changes || 'leave' : `${changes}:${change.transition}`;
}

function entryText(entry: Entry): string {
  if (entry.kind === 'configuration') return `${entry.term}/${entry.index}<${changeText(readChange(entry))}>`;
  return `${entry.term}/${entry.index}${entry.data.length > 0 ? `"${entry.data}"` : ''}`;
}

function messageText(message: Message): string {
  const head = `${message.kind} to=${message.to} term=${message.term}`;
  switch (message.kind) {
    case 'preVote':
    case 'vote':
      return `${head} last=${message.lastTerm}/${message.lastIndex}`;
    case 'preVoteReply':
    case 'voteReply':
      return `${head} ${message.granted ? 'granted' : 'refused'}`;
    case 'append':
      return `${head} after=${message.prevTerm}/${message.prevIndex} [${message.entries.map(entryText).join(' ')}] commit=${message.commit}`;
    case 'appendReply':
      return `${head} match=${message.match}`;
    case 'appendReject':
      return `${head} not=${message.prevIndex} hint=${message.hintTerm}/${message.hintIndex}`;
    case 'heartbeat':
      return `${head} commit=${message.commit} round=${message.round}`;
    case 'heartbeatReply':
      return `${head} round=${message.round}`;
    case 'snapshot':
      return `${head} at=${message.snapshot.term}/${message.snapshot.index}`;
    default:
      return head;
  }
}
