import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import Docker from 'dockerode';
import { hasStatus } from '../engine.ts';
import { engineSocket } from '../place.ts';
import type { ContainerRun } from './runs.ts';

const podNameLabel = 'io.kubernetes.pod.name';
const podNamespaceLabel = 'io.kubernetes.pod.namespace';
const podUidLabel = 'io.kubernetes.pod.uid';
const containerLabel = 'io.kubernetes.container.name';
const RECONNECT_MS = 200;

interface Running {
  readonly id: string;
  readonly identity: string;
  readonly podUid: string;
  readonly startedMs: number;
  endedMs: number | undefined;
}

interface EngineEvent {
  readonly Action?: string;
  readonly timeNano?: number;
  readonly Actor?: { readonly ID?: string; readonly Attributes?: Readonly<Record<string, string>> };
}

/**
 * Watches the containers of pods at the engine itself, past the API and the kubelets. While the engine is away nothing
 * starts; what ended meanwhile is read from the container afterwards.
 */
export class ContainerObserver {
  readonly docker = new Docker({ socketPath: engineSocket });
  readonly #namespace: string;
  readonly #runs = new Map<string, Running>();
  readonly #stop = new AbortController();
  #done: Promise<void> | undefined;

  constructor(namespace: string) {
    this.#namespace = namespace;
  }

  start(): void {
    this.#done = this.#run();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#done;
  }

  /** Sandboxes, which all are called POD, are no containers of a pod's own. */
  get runs(): readonly ContainerRun[] {
    return [...this.#runs.values()].filter(({ identity }) => !identity.endsWith('/POD'));
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      try {
        await this.#follow();
      } catch {
        // The engine is away: that is what is being tried.
      }
      await sleep(RECONNECT_MS);
    }
  }

  /** First the stream, then the present: nothing falls between. */
  async #follow(): Promise<void> {
    const label = [`${podNamespaceLabel}=${this.#namespace}`];
    const stream = (await this.docker.getEvents({ filters: { type: ['container'], label } })) as Readable;
    const onAbort = (): void => void stream.destroy();
    this.#stop.signal.addEventListener('abort', onAbort);
    try {
      const catchUp = this.#catchUp(label);
      let pending = '';
      for await (const chunk of stream.setEncoding('utf8')) {
        await catchUp;
        const lines = (pending + chunk).split('\n');
        pending = lines.pop() ?? '';
        for (const line of lines) if (line !== '') this.#take(JSON.parse(line) as EngineEvent);
      }
    } finally {
      this.#stop.signal.removeEventListener('abort', onAbort);
      stream.destroy();
    }
  }

  #take({ Action, timeNano = 0, Actor }: EngineEvent): void {
    const { ID: id = '', Attributes: labels = {} } = Actor ?? {};
    const atMs = timeNano / 1e6;
    if (Action === 'start') this.#started(id, labels, atMs);
    if (Action === 'die') this.#ended(id, atMs);
  }

  #started(id: string, labels: Readonly<Record<string, string>>, startedMs: number): void {
    if (this.#runs.has(id)) return;
    const identity = `${labels[podNamespaceLabel]}/${labels[podNameLabel]}/${labels[containerLabel]}`;
    this.#runs.set(id, { id, identity, podUid: labels[podUidLabel] ?? '', startedMs, endedMs: undefined });
  }

  #ended(id: string, endedMs: number): void {
    const run = this.#runs.get(id);
    if (run !== undefined) run.endedMs ??= endedMs;
  }

  async #catchUp(label: readonly string[]): Promise<void> {
    const present = await this.docker.listContainers({ all: true, filters: { label: [...label] } });
    const ids = new Set(present.map(({ Id }) => Id));
    for (const { Id } of present) {
      try {
        const { State, Config } = await this.docker.getContainer(Id).inspect();
        if (State.StartedAt.startsWith('0001')) continue;
        this.#started(Id, Config.Labels, Date.parse(State.StartedAt));
        if (!State.Running) this.#ended(Id, Date.parse(State.FinishedAt));
      } catch (error) {
        // Removed between the two questions.
        if (!hasStatus(error, 404)) throw error;
        ids.delete(Id);
      }
    }
    // Removed while the engine could not be heard: it had ended by now.
    for (const run of this.#runs.values()) if (!ids.has(run.id)) run.endedMs ??= Date.now();
  }
}
