// What the runtime last said of each pod. Events are hints that a pod has to be read again; reading is truth.
import { type Clock, type Logger, pause, type Scope } from '@wherry/daemon';
import { emptyRuntimePod, type RuntimePod } from '../plan/runtime-state.ts';
import type { PodIdentity, Runtime, RuntimeHint } from '../runtime/port.ts';
import type { RunningCounts } from './running-counts.ts';

/** Upstream's threshold: a runtime that has not answered for so long makes the node not ready. */
const silenceMsMax = 180_000;

export interface RuntimeCacheOptions {
  readonly runtime: Runtime;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly scope: Scope;
  readonly counts: RunningCounts;
  /** Everything is listed again this often, whatever the events said; undefined where no event is ever missed. */
  readonly relistMs: number | undefined;
  /** The runtime's view of a pod may have changed. */
  readonly onChange: (podUid: string) => void;
}

export class RuntimeCache {
  readonly #options: RuntimeCacheOptions;
  readonly #pods = new Map<string, RuntimePod>();
  #answeredAtMs: number;

  constructor(options: RuntimeCacheOptions) {
    this.#options = options;
    this.#answeredAtMs = options.clock.monotonicMs();
  }

  /** Why pods cannot be managed now; part of the node's Ready condition. */
  get problem(): string | undefined {
    if (this.#options.relistMs === undefined) return undefined;
    const silentMs = this.#options.clock.monotonicMs() - this.#answeredAtMs;
    if (silentMs < silenceMsMax) return undefined;
    const seconds = Math.round(silentMs / 1000);
    return `PLEG is not healthy: pleg was last seen active ${seconds}s ago; threshold is ${silenceMsMax / 60_000}m0s`;
  }

  get(uid: string): RuntimePod | undefined {
    return this.#pods.get(uid);
  }

  list(): readonly RuntimePod[] {
    return [...this.#pods.values()];
  }

  /** Reads one pod. @throws when the runtime does not answer */
  async refresh(identity: PodIdentity): Promise<RuntimePod> {
    const pod = await this.#options.runtime.pod(identity);
    this.#answeredAtMs = this.#options.clock.monotonicMs();
    this.#keep(pod);
    return pod;
  }

  /** Reads everything; pods that changed since are reported. */
  async refreshAll(): Promise<readonly RuntimePod[]> {
    const pods = await this.#options.runtime.list();
    this.#answeredAtMs = this.#options.clock.monotonicMs();
    const gone = [...this.#pods.keys()].filter((uid) => !pods.some((pod) => pod.uid === uid));
    for (const pod of pods) {
      const changed = fingerprint(this.#pods.get(pod.uid)) !== fingerprint(pod);
      this.#keep(pod);
      if (changed) this.#options.onChange(pod.uid);
    }
    for (const uid of gone) {
      this.#options.counts.replace(this.#pods.get(uid), undefined);
      this.#pods.delete(uid);
      this.#options.onChange(uid);
    }
    return pods;
  }

  #keep(pod: RuntimePod): void {
    const present = pod.sandboxes.length > 0 || pod.containers.length > 0;
    this.#options.counts.replace(this.#pods.get(pod.uid), present ? pod : undefined);
    if (present) this.#pods.set(pod.uid, pod);
    else this.#pods.delete(pod.uid);
  }

  /** Follows the runtime until the scope closes. */
  start(): void {
    const { scope, runtime, clock, logger, relistMs } = this.#options;
    scope.run('runtime events', (signal) => runtime.watch((hint) => this.#onHint(hint), signal));
    if (relistMs === undefined) return;
    scope.run('runtime relist', async (signal) => {
      while (await pause(clock, relistMs, signal)) {
        try {
          await this.refreshAll();
        } catch (error) {
          logger.warn({ err: error }, 'cannot list the containers of this node');
        }
      }
    });
  }

  #onHint(hint: RuntimeHint): void {
    if (hint.kind === 'resync') {
      for (const uid of this.#pods.keys()) this.#options.onChange(uid);
      return;
    }
    const pod = this.#pods.get(hint.podUid) ?? emptyRuntimePod(hint.podUid, '', '');
    const container = pod.containers.find((one) => one.id === hint.id);
    const sandbox = pod.sandboxes.find((one) => one.id === hint.id);
    // Most events are echoes of what we did ourselves and have read already.
    if (hint.action === 'start' && (container?.phase === 'running' || sandbox?.ready === true)) return;
    if (hint.action === 'die' && (container?.phase === 'exited' || sandbox?.ready === false)) return;
    if (hint.action === 'destroy' && container === undefined && sandbox === undefined) return;
    this.#options.onChange(hint.podUid);
  }
}

function fingerprint(pod: RuntimePod | undefined): string {
  if (pod === undefined) return '';
  const sandboxes = pod.sandboxes.map((sandbox) => `${sandbox.id}${sandbox.ready}`);
  const containers = pod.containers.map((container) => `${container.id}${container.phase}`);
  return [...sandboxes, ...containers].sort().join();
}
