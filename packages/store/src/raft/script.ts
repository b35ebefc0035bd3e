import { configurationText, TestCluster } from './test-cluster.ts';
import type { ConfigurationChange, MemberChange, NodeId } from './types.ts';

/**
 * The language of `testdata/*.txt`: a command in a line of its own behind `> `, then what it caused, as in
 * etcd-io/raft's own tests. Commands of one line are separated by `;` and share one answer.
 */
export class Script {
  #cluster = new TestCluster([]);

  /** Runs one line. @returns what happened, a fact per line */
  run(line: string): string[] {
    const said: string[] = [];
    for (const command of line.split(';')) {
      const [name = '', ...words] = command.trim().split(/\s+/);
      said.push(...this.#command(name, words));
      said.push(...this.#cluster.transcript());
      for (const read of this.#cluster.reads.splice(0)) said.push(`read ${read}`);
    }
    return said;
  }

  #command(name: string, words: readonly string[]): string[] {
    const cluster = this.#cluster;
    const [first = '', second = '', ...rest] = words;
    const member = Number(first);
    switch (name) {
      case 'members':
        this.#cluster = new TestCluster(words.map(Number));
        return [];
      case 'lead':
        return this.#lead(member);
      case 'join':
        cluster.join(member as NodeId, [second, ...rest].map(Number) as NodeId[]);
        cluster.start(member as NodeId, 19);
        return [];
      case 'tick':
        cluster.tick(member, Number(second || 1));
        return [];
      case 'propose':
        cluster.propose(member, second, ...rest);
        return [];
      case 'change':
        cluster.change(member, changeOf([second, ...rest]));
        return [];
      case 'read':
        cluster.input(member, { kind: 'read', context: Number(second) });
        return [];
      case 'deliver':
        cluster.deliver();
        return [];
      case 'settle':
        cluster.settle();
        return [];
      case 'lose':
        cluster.wires = [];
        return [];
      default:
        return this.#fault(name, words);
    }
  }

  #fault(name: string, words: readonly string[]): string[] {
    const cluster = this.#cluster;
    const [first = '', second = ''] = words;
    const id = Number(first) as NodeId;
    switch (name) {
      case 'cut':
        for (const word of words) cluster.cut.add(Number(word) as NodeId);
        return [];
      case 'heal':
        cluster.cut.clear();
        return [];
      case 'up':
      case 'down':
        cluster.input(id, { kind: 'connection', peer: Number(second) as NodeId, up: name === 'up' });
        return [];
      case 'slow':
        cluster.slowDisk.add(id);
        return [];
      case 'flush':
        cluster.slowDisk.delete(id);
        cluster.flush(id);
        return [];
      case 'restart':
        cluster.start(id, 10 + id);
        return [];
      case 'snapshot':
        cluster.snapshot(id, Number(second || 0));
        return [];
      case 'delivered':
        cluster.input(id, { kind: 'snapshotSent', peer: Number(second) as NodeId, delivered: true });
        return [];
      case 'transfer':
        cluster.input(id, { kind: 'transfer', to: Number(second) as NodeId });
        return [];
      case 'show':
        return words.map((word) => this.#show(Number(word)));
      default:
        throw new Error(`unknown command "${name}"`);
    }
  }

  /** Makes a member leader of a new term without a word about it. */
  #lead(id: number): string[] {
    const cluster = this.#cluster;
    cluster.tick(id, 20);
    cluster.settle();
    cluster.tick(id);
    cluster.settle();
    cluster.transcript();
    return cluster.member(id).role === 'leader' ? [] : [`${id} does not lead`];
  }

  #show(id: number): string {
    const { role, term, leader, inspect } = this.#cluster.member(id);
    const { log, configuration, progress } = inspect;
    const followers = [...progress].map(([peer, { state, match, next }]) => `${peer}:${state} ${match}<${next}`);
    const line = `${id} ${role} term=${term} leader=${leader} log=${log.firstIndex}-${log.lastIndex} commit=${log.committed}`;
    const text = this.#cluster.appliedText(id);
    return [line, configurationText(configuration), `[${text}]`, ...followers].join(' | ');
  }
}

/** `v4 l5 r1`, then `implicit` or `explicit` if it is to be joint whatever is changed. */
function changeOf(words: readonly string[]): ConfigurationChange {
  const kinds = { v: 'addVoter', l: 'addLearner', r: 'remove' } as const;
  const changes: MemberChange[] = [];
  let transition: ConfigurationChange['transition'] = 'auto';
  for (const word of words) {
    const sign = word[0];
    if (word === 'leave') continue;
    if (word === 'implicit') transition = 'jointImplicit';
    else if (word === 'explicit') transition = 'jointExplicit';
    else if (sign === 'v' || sign === 'l' || sign === 'r') {
      changes.push({ kind: kinds[sign], id: Number(word.slice(1)) as NodeId });
    } else if (word !== '') throw new Error(`unknown change "${word}"`);
  }
  return { transition, changes };
}
