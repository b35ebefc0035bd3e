import { type Clock, type Random, seededRandom, silentLogger, type Timer, VirtualClock } from '@wherry/daemon';
import { range } from '../../../packages/store/src/mvcc/range.ts';
import { isRefusal } from '../../../packages/store/src/mvcc/refusal.ts';
import type { Watcher } from '../../../packages/store/src/mvcc/watch-hub.ts';
import type { NodeId } from '../../../packages/store/src/raft/types.ts';
import { replicaDefaults } from '../../../packages/store/src/replica/options.ts';
import type { Replica } from '../../../packages/store/src/replica/replica.ts';
import { startReplica } from '../../../packages/store/src/replica/testing.ts';
import { storeErrors } from '../../../packages/store/src/schema/errors.ts';
import { SimulatedDisk } from '../../../packages/store/src/wal/simulated-disk.ts';
import { checkHistory, LiveCheckers, type Operation, type WatchedEvent } from './checkers.ts';
import { SimulatedNetwork } from './simulated-network.ts';

const KEYS = 5;
/** Seeds divisible by this run through storms of elections too. */
export const STORM_EVERY = 3;
const EVERYTHING = { key: '\0', rangeEnd: '\0' };

interface Member {
  readonly id: NodeId;
  readonly disk: SimulatedDisk;
  clock: LifeClock | undefined;
  replica: Replica | undefined;
  checkedFrom: number;
  /** What its watch has delivered, over all its lives. */
  readonly watched: WatchedEvent[];
  watcher: Watcher | undefined;
}

/** One life of a process: its timers die with it. */
class LifeClock implements Clock {
  readonly #clock: VirtualClock;
  #dead = false;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  now(): number {
    return this.#clock.now();
  }

  monotonicMs(): number {
    return this.#clock.monotonicMs();
  }

  setTimer(ms: number, fn: () => void): Timer {
    return this.#clock.setTimer(ms, () => {
      if (!this.#dead) fn();
    });
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return this.#clock.sleep(ms, signal);
  }

  kill(): void {
    this.#dead = true;
  }
}

/** Whole members, real code, on a simulated network, disk and clock; one seed is one run. */
export class StoreSimulation {
  readonly clock = new VirtualClock();
  readonly #random: Random;
  readonly #network: SimulatedNetwork;
  readonly #members: Member[];
  readonly #checkers = new LiveCheckers();
  readonly #operations: Operation[] = [];
  readonly #isStormy: boolean;
  #writes = 0;
  #failure: unknown;
  kills = 0;
  reconfigurations = 0;

  constructor(seed: number, members: number) {
    this.#random = seededRandom(seed);
    this.#isStormy = seed % STORM_EVERY === 0;
    this.#network = new SimulatedNetwork(this.clock, this.#random);
    this.#members = Array.from({ length: members }, (_, i) => ({
      id: (i + 1) as NodeId,
      disk: new SimulatedDisk({ random: () => this.#random.next(), delay: () => this.#diskDelay() }),
      clock: undefined,
      replica: undefined,
      checkedFrom: 1,
      watched: [],
      watcher: undefined,
    }));
  }

  get acknowledged(): number {
    return this.#operations.filter(({ kind, endedMs }) => kind === 'put' && endedMs !== undefined).length;
  }

  get reads(): number {
    return this.#operations.filter(({ kind, endedMs }) => kind === 'read' && endedMs !== undefined).length;
  }

  /** Runs under faults, then heals everything and checks what must hold in the end. */
  async run(seconds: number): Promise<void> {
    for (const member of this.#members) this.#start(member);
    const endMs = this.clock.monotonicMs() + seconds * 1000;
    while (this.clock.monotonicMs() < endMs) {
      if (this.#random.next() < 0.02) this.#injectFault();
      if (this.#isStormy && this.#random.next() < 0.1) await this.#storm();
      if (this.#random.next() < 0.5) this.#operate();
      await this.#advance(this.#random.next() * 40);
    }
    await this.#heal();
    this.#checkEnd();
  }

  async #advance(ms: number): Promise<void> {
    await this.clock.advance(ms);
    if (this.#failure !== undefined) throw this.#failure;
    for (const member of this.#members) {
      if (member.replica === undefined) continue;
      member.checkedFrom = this.#checkers.check(member.id, member.replica, member.checkedFrom);
      this.#pumpWatch(member);
    }
  }

  #injectFault(): void {
    const member = this.#pick();
    const other = this.#pick();
    const dice = this.#random.next();
    if (dice < 0.4) this.#kill(member);
    else if (dice < 0.55) this.#start(member);
    else if (dice < 0.6) this.#reconfigure(member, other);
    else if (dice < 0.63) member.replica?.transfer(other.id);
    else if (dice < 0.7) this.#network.cut(member.id, other.id);
    else if (dice < 0.8) for (const each of this.#members) this.#isolate(member, each);
    else if (dice < 0.9) this.#network.heal();
    else this.#network.faults = { loss: this.#random.next() * 0.3, duplication: 0.1, delayMsMax: 100 };
    if (this.#random.next() < 0.5) for (const each of this.#members) this.#start(each);
  }

  /** Elections under way in which members die and are back at once: what they promised is asked for again. */
  async #storm(): Promise<void> {
    const { faults } = this.#network;
    this.#network.faults = { ...faults, delayMsMax: 20 };
    const leader = this.#members.find(({ replica }) => replica?.isLeader === true)?.replica;
    leader?.transfer(this.#pick().id);
    await this.#advance(this.#random.next() * 20);
    if (this.#random.next() < 0.5) leader?.transfer(this.#pick().id);
    for (const member of [this.#pick(), this.#pick()]) {
      await this.#advance(this.#random.next() * 25);
      for (let burst = this.#random.integer(20); burst > 0; burst--) this.#operate();
      await this.#advance(this.#random.next());
      this.#kill(member);
      this.#start(member);
    }
    this.#network.faults = faults;
  }

  /** Members stay members; who of them votes changes, directly or by way of joint configurations. */
  #reconfigure(one: Member, other: Member): void {
    const leader = this.#members.find(({ replica }) => replica?.isLeader === true)?.replica;
    if (leader === undefined) return;
    const kinds = ['addVoter', 'addVoter', 'addLearner'] as const;
    const transitions = ['auto', 'jointImplicit', 'jointExplicit'] as const;
    const wanted = this.#random.next() < 0.5 ? [one] : [one, other];
    const changes = wanted.map(({ id }) => ({ kind: kinds[this.#random.integer(3)] ?? 'addVoter', id }));
    const isExplicit = leader.raft.inspect.configuration.outgoing.length > 0;
    const change = isExplicit
      ? ({ transition: 'auto', changes: [] } as const)
      : { transition: transitions[this.#random.integer(3)] ?? 'auto', changes };
    leader.reconfigure({ change, added: [] }, (outcome) => {
      if (!isRefusal(outcome)) this.reconfigurations++;
    });
  }

  #isolate(one: Member, other: Member): void {
    this.#network.cut(one.id, other.id);
    this.#network.cut(other.id, one.id);
  }

  #kill(member: Member): void {
    if (member.clock === undefined) return;
    this.kills++;
    member.clock.kill();
    member.clock = undefined;
    member.replica = undefined;
    member.watcher = undefined;
    member.disk.crash();
    this.#network.leave(member.id);
  }

  #start(member: Member): void {
    if (member.clock !== undefined) return;
    const clock = new LifeClock(this.clock);
    member.clock = clock;
    const voters = this.#members.map(({ id }) => id);
    const fail = (error: unknown) => {
      if (member.clock === clock) this.#failure ??= error;
    };
    const options = {
      ...replicaDefaults,
      clusterId: 1,
      memberId: member.id,
      voters,
      snapshotCount: 50,
      keptEntries: 20,
    };
    const parts = { disk: member.disk.mount(), peers: this.#network.join(member.id), clock, random: this.#random };
    startReplica(options, { ...parts, logger: silentLogger, onFatal: fail }).then((replica) => {
      if (member.clock !== clock) return;
      member.replica = replica;
      member.checkedFrom = 1;
      const startRevision = (member.watched.at(-1)?.revision ?? 1) + 1;
      member.watcher = replica.mvcc.watches.add({ ...EVERYTHING, startRevision }, () => undefined);
    }, fail);
  }

  #operate(): void {
    const member = this.#pick();
    const life = member.replica;
    if (life === undefined) return;
    const key = `k${this.#random.integer(KEYS)}`;
    const startedMs = this.clock.monotonicMs();
    const isPut = this.#random.next() < 0.6;
    const operation: Operation = {
      kind: isPut ? 'put' : 'read',
      key,
      value: isPut ? `v${++this.#writes}` : undefined,
      startedMs,
      endedMs: undefined,
      revision: undefined,
      refused: undefined,
    };
    this.#operations.push(operation);
    const answered = (outcome: { readonly revision: number } | { readonly refused: string }) => {
      if (member.replica !== life) return;
      if ('refused' in outcome) {
        const { outcome: known } = storeErrors[outcome.refused as keyof typeof storeErrors];
        if (known === 'none') operation.refused = outcome.refused;
        return;
      }
      operation.endedMs = this.clock.monotonicMs();
      operation.revision = outcome.revision;
    };
    if (isPut) life.propose({ kind: 'put', request: { key, value: operation.value ?? '' } }, undefined, answered);
    else {
      life.read((refusal) => {
        if (refusal !== undefined) return answered(refusal);
        const response = range(life.mvcc, { key });
        if (isRefusal(response)) return answered(response);
        operation.value = response.kvs[0]?.value.toString();
        answered(response);
      });
    }
  }

  #pumpWatch({ replica, watcher, watched }: Member): void {
    if (replica === undefined || watcher === undefined) return;
    for (;;) {
      const taken = replica.mvcc.watches.take(watcher);
      if (taken === undefined) return;
      if (isRefusal(taken)) throw new Error(`Watch refused: ${taken.refused}`);
      for (const { kv } of taken.events) {
        if (kv.modRevision <= (watched.at(-1)?.revision ?? 0)) throw new Error(`Watch went back to ${kv.modRevision}`);
        watched.push({ key: kv.key.toString(), value: kv.value.toString(), revision: kv.modRevision });
      }
    }
  }

  async #heal(): Promise<void> {
    this.#network.heal();
    for (const member of this.#members) this.#start(member);
    await this.#advance(10_000);
    const [first] = this.#members;
    let revision: number | undefined;
    first?.replica?.propose({ kind: 'put', request: { key: 'end', value: 'v0' } }, undefined, (outcome) => {
      if (!isRefusal(outcome)) revision = outcome.revision;
    });
    await this.#advance(5_000);
    if (revision === undefined) throw new Error('No write is possible after everything is healed');
  }

  #checkEnd(): void {
    const dump = (member: Member) => {
      const response = member.replica === undefined ? undefined : range(member.replica.mvcc, EVERYTHING);
      if (response === undefined || isRefusal(response)) throw new Error(`Member ${member.id} cannot be read`);
      const kvs = response.kvs.map(
        (kv) => `${kv.key}=${kv.value}@${kv.createRevision}/${kv.modRevision}/${kv.version}`,
      );
      return `${response.revision} ${kvs.join(' ')}`;
    };
    const [first, ...others] = this.#members;
    if (first === undefined) return;
    for (const other of others) {
      if (dump(other) !== dump(first)) throw new Error(`Members differ:\n${dump(first)}\n${dump(other)}`);
      if (JSON.stringify(other.watched) !== JSON.stringify(first.watched)) throw new Error('Watches differ');
    }
    const history = first.watched.filter(({ key }) => key !== 'end');
    if (first.watched.some(({ revision }, i) => revision !== i + 2)) throw new Error('A watch has a gap');
    checkHistory(this.#operations, history);
  }

  #pick(): Member {
    return this.#members[this.#random.integer(this.#members.length)] as Member;
  }

  async #diskDelay(): Promise<void> {
    const slow = this.#random.next() < 0.01;
    await this.clock.sleep(slow ? this.#random.next() * 300 : 0.1 + this.#random.next());
  }
}
