import { setTimeout as sleep } from 'node:timers/promises';
import type { Engine } from '../engine.ts';
import type { Fault, FaultTarget } from '../plan/fault.ts';
import type { Daemons } from './daemons.ts';
import type { Supervisor } from './supervisor.ts';

/** A fault as it happened. */
export interface Injected {
  readonly fault: Fault;
  /** Name of the daemon that was hit, or "engine"; undefined when nobody had the role. */
  readonly victim: string | undefined;
  readonly startMs: number;
  readonly endMs: number;
}

const ROLE_MS_MAX = 10_000;

/** Makes faults happen to living processes, by signals alone. */
export class Injector {
  readonly #daemons: Daemons;
  readonly #engine: Engine;
  readonly #supervisor: Supervisor;

  constructor(daemons: Daemons, engine: Engine, supervisor: Supervisor) {
    this.#daemons = daemons;
    this.#engine = engine;
    this.#supervisor = supervisor;
  }

  /** Returns when the victim has been told to go on, or to start again. */
  async inject(fault: Fault, onStart: (victim: string) => void = () => {}): Promise<Injected> {
    const victim = await this.#victim(fault);
    const startMs = Date.now();
    if (victim === undefined) return { fault, victim, startMs, endMs: startMs };
    onStart(victim.name);
    if (fault.action === 'kill') {
      this.#supervisor.hold(victim.name);
      process.kill(victim.pid, 'SIGKILL');
      await sleep(fault.forMs);
      this.#supervisor.release(victim.name);
    } else {
      process.kill(victim.pid, 'SIGSTOP');
      await sleep(fault.forMs);
      process.kill(victim.pid, 'SIGCONT');
    }
    return { fault, victim: victim.name, startMs, endMs: Date.now() };
  }

  /** Waits a while for a leader: the last fault may have taken it. */
  async #victim({ target, pick }: Fault): Promise<{ readonly name: string; readonly pid: number } | undefined> {
    if (target === 'engine') return this.#engine.isRunning ? { name: 'engine', pid: this.#engine.pid } : undefined;
    for (const deadlineMs = Date.now() + ROLE_MS_MAX; ; await sleep(100)) {
      const candidates = await this.#candidates(target);
      const chosen = candidates[Math.floor(pick * candidates.length)];
      if (chosen !== undefined || Date.now() > deadlineMs) return chosen;
    }
  }

  async #candidates(target: Exclude<FaultTarget, 'engine'>): Promise<readonly { name: string; pid: number }[]> {
    const running = (kind: string) =>
      this.#daemons.all().filter((daemon) => daemon.kind === kind && daemon.state === 'running');
    switch (target) {
      case 'store-leader':
        return this.#daemons.leaders('store');
      case 'store-follower': {
        const leaders = (await this.#daemons.leaders('store')).map(({ name }) => name);
        return leaders.length === 0 ? [] : running('store').filter(({ name }) => !leaders.includes(name));
      }
      case 'scheduler-leader':
        return this.#daemons.leaders('scheduler');
      case 'controller-manager-leader':
        return this.#daemons.leaders('controller-manager');
      default:
        return running(target);
    }
  }
}
