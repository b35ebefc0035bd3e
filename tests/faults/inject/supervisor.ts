import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from '../../harness/cluster.ts';
import type { Engine } from '../engine.ts';
import type { Daemons } from './daemons.ts';

/** As RestartSec in deploy/systemd. */
const RESTART_MS = 2_000;
const LOOK_MS = 200;

/**
 * Starts again whatever is dead, as systemd does on hosts: the victims of faults once their time is over, and those that
 * ended by themselves (a scheduler that lost its lease) after two seconds.
 */
export class Supervisor {
  /** Daemons that ended although nobody killed them, with the time. */
  readonly endedByThemselves: { readonly name: string; readonly atMs: number }[] = [];
  readonly #cluster: Cluster;
  readonly #daemons: Daemons;
  readonly #engine: Engine;
  readonly #log: (text: string) => void;
  readonly #stop = new AbortController();
  readonly #held = new Set<string>();
  readonly #deadSinceMs = new Map<string, number>();
  #done: Promise<void> | undefined;

  constructor(cluster: Cluster, daemons: Daemons, engine: Engine, log: (text: string) => void) {
    this.#cluster = cluster;
    this.#daemons = daemons;
    this.#engine = engine;
    this.#log = log;
  }

  start(): void {
    this.#done = this.#run();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#done;
  }

  /** Until `release`, this one stays dead. */
  hold(name: string): void {
    this.#held.add(name);
  }

  /** Starts it now. */
  release(name: string): void {
    this.#held.delete(name);
    this.#deadSinceMs.set(name, 0);
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      if (!this.#engine.isRunning && !this.#held.has('engine')) await this.#engine.start();
      // Nodes' own come last: to enter a node takes the engine, which may be what is broken.
      const names = this.#daemons.all().sort((a, b) => Number(a.node !== undefined) - Number(b.node !== undefined));
      for (const { name } of names) await this.#look(name);
      await sleep(LOOK_MS, undefined, { signal: this.#stop.signal }).catch(() => undefined);
    }
  }

  async #look(name: string): Promise<void> {
    if (this.#daemons.named(name).state !== 'gone') {
      this.#deadSinceMs.delete(name);
      return;
    }
    if (this.#held.has(name)) return;
    const sinceMs = this.#deadSinceMs.get(name);
    if (sinceMs === undefined) {
      this.endedByThemselves.push({ name, atMs: Date.now() });
      this.#log(`${name} has ended by itself`);
      this.#deadSinceMs.set(name, Date.now());
    } else if (Date.now() - sinceMs >= RESTART_MS) {
      await this.#restart(name);
    }
  }

  async #restart(name: string): Promise<void> {
    const { code, stderr } = await this.#cluster.wherry(['daemon', 'start', name]);
    if (code === 0) return;
    // As with systemd: tried again, for example until the engine is back that has the node's namespace.
    this.#log(`${name} does not start: ${stderr.trim()}`);
    this.#deadSinceMs.set(name, Date.now());
  }
}
