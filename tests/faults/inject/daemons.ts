import { readdirSync, readFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { join } from 'node:path';

interface Record {
  readonly spec: {
    readonly name: string;
    readonly kind: string;
    readonly node?: string;
    readonly addresses: readonly string[];
    readonly probe: {
      readonly scheme: 'http' | 'https';
      readonly host: string;
      readonly port: number;
      readonly leaderMetric?: string;
    };
  };
  readonly process: { readonly pid: number; readonly startTime: string };
}

/** A daemon of the cluster as it is right now. */
export interface Daemon {
  readonly name: string;
  readonly kind: string;
  readonly pid: number;
  readonly node: string | undefined;
  readonly addresses: readonly string[];
  readonly state: 'running' | 'paused' | 'gone';
}

/** What `wherry` recorded about the processes it started, read directly: every tenth of a second counts here. */
export class Daemons {
  readonly #folder: string;

  constructor(clusterFolder: string) {
    this.#folder = join(clusterFolder, 'run');
  }

  all(): Daemon[] {
    return this.#records().map(({ spec, process }) => ({
      name: spec.name,
      kind: spec.kind,
      pid: process.pid,
      node: spec.node,
      addresses: spec.addresses,
      state: stateOf(process),
    }));
  }

  named(name: string): Daemon {
    const daemon = this.all().find((one) => one.name === name);
    if (daemon === undefined) throw new Error(`There is no daemon ${name}`);
    return daemon;
  }

  /** Whether whoever listens in its place says that it is well. */
  async isWell(name: string): Promise<boolean> {
    const probe = this.#records().find(({ spec }) => spec.name === name)?.spec.probe;
    return probe !== undefined && (await ask(probe, '/healthz')).status === 200;
  }

  /** Running daemons of a kind that say they lead. */
  async leaders(kind: string): Promise<readonly Daemon[]> {
    const running = this.all().filter((daemon) => daemon.kind === kind && daemon.state === 'running');
    const leads = await Promise.all(running.map(({ name }) => this.#leads(name)));
    return running.filter((_, index) => leads[index]);
  }

  /** Names of those that do not run, or do not say that they are well. */
  async unhealthy(): Promise<readonly string[]> {
    const well = await Promise.all(
      this.#records().map(async ({ spec, process }) => {
        if (stateOf(process) !== 'running') return false;
        return (await ask(spec.probe, '/healthz')).status === 200;
      }),
    );
    return this.all()
      .map(({ name }) => name)
      .filter((_, index) => !well[index]);
  }

  async #leads(name: string): Promise<boolean> {
    const probe = this.#records().find(({ spec }) => spec.name === name)?.spec.probe;
    if (probe?.leaderMetric === undefined) return false;
    const { body } = await ask(probe, '/metrics');
    return new RegExp(`^${probe.leaderMetric}(\\{[^}]*\\})? 1$`, 'm').test(body);
  }

  #records(): readonly Record[] {
    return readdirSync(this.#folder)
      .filter((name) => name.endsWith('.json'))
      .sort()
      .map((name) => JSON.parse(readFileSync(join(this.#folder, name), 'utf8')) as Record);
  }
}

/** A pid alone may be another process by now. */
function stateOf({ pid, startTime }: Record['process']): Daemon['state'] {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is a name in brackets and may hold anything.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const state = fields[0] ?? '';
    if (fields[19] !== startTime || state === 'Z' || state === 'X') return 'gone';
    return state === 'T' ? 'paused' : 'running';
  } catch {
    return 'gone';
  }
}

const ANSWER_MS_MAX = 1_000;

/** Status 0 when nobody answers in time. */
function ask(
  probe: Record['spec']['probe'],
  path: string,
): Promise<{ readonly status: number; readonly body: string }> {
  return new Promise((resolve) => {
    const none = (): void => resolve({ status: 0, body: '' });
    const send = probe.scheme === 'https' ? httpsRequest : httpRequest;
    const options = { rejectUnauthorized: false, agent: false as const, signal: AbortSignal.timeout(ANSWER_MS_MAX) };
    const request = send({ host: probe.host, port: probe.port, path, ...options }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => {
        body += text;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
      response.on('error', none);
    });
    request.on('error', none);
    request.end();
  });
}
