import { loadavg } from 'node:os';
import { kill } from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { resources } from '@wherry/api';
import { clientOf } from '../harness/acknowledged-writer.ts';
import { Cluster } from '../harness/cluster.ts';
import { StoreProcesses } from '../harness/store-processes.ts';

const TRIALS = 20;
const PAUSES = 5;
const WRITERS = 4;
/** Writes go on for so long before and after a fault. */
const QUIET_MS = 500;
/** Longer than any election: then something is broken. */
const RESUMED_MS_MAX = 20_000;
/** etcd 3.5 with its defaults, three members on a machine like ours, kill -9 of the leader, median of ten. */
const ETCD_MS = 1_217;
const PORT = 17_482;

interface Leader {
  readonly name: string;
  readonly pid: number;
}

/** Of all trials, in milliseconds; the latter two since the fault. */
interface Trials {
  readonly gapsMs: number[];
  readonly noticedMs: number[];
  readonly electedMs: number[];
}

/** Something that takes writes and has a leader behind it. */
interface Subject {
  readonly title: string;
  write(number: number): Promise<void>;
  /** Once everybody is there and in step. */
  leader(): Promise<Leader>;
  revive(leader: Leader): Promise<void>;
  /** What the members have logged since the last call, if it can be read. */
  takeLog?(): string;
  close(): Promise<void>;
}

/**
 * How long nobody gets a write through after `kill -9` of the store's leader, and after SIGSTOP, which nobody can
 * notice but by waiting: through the store's client alone, then through balancer and API server.
 */
export async function run(): Promise<void> {
  for (const make of [throughClient, throughApi]) {
    const subject = await make();
    const writing = new Writing((number) => subject.write(number));
    try {
      report(`${subject.title}: kill -9 of the leader`, await trials(TRIALS, subject, writing, 'SIGKILL'), ETCD_MS);
      report(`${subject.title}: SIGSTOP of the leader`, await trials(PAUSES, subject, writing, 'SIGSTOP'));
    } finally {
      await writing.stop();
      await subject.close();
    }
  }
}

async function trials(
  count: number,
  subject: Subject,
  writing: Writing,
  signal: 'SIGKILL' | 'SIGSTOP',
): Promise<Trials> {
  const all: Trials = { gapsMs: [], noticedMs: [], electedMs: [] };
  for (let trial = 0; trial < count; trial++) {
    const leader = await subject.leader();
    await sleep(QUIET_MS);
    writing.startTrial();
    subject.takeLog?.();
    const faultMs = Date.now();
    kill(leader.pid, signal);
    await writing.resumed();
    await sleep(QUIET_MS);
    all.gapsMs.push(writing.longestGapMs);
    const changes = changesIn(subject.takeLog?.() ?? '');
    all.noticedMs.push(...changes.slice(0, 1).map(({ atMs }) => atMs - faultMs));
    all.electedMs.push(
      ...changes
        .filter(({ leads }) => leads)
        .slice(0, 1)
        .map(({ atMs }) => atMs - faultMs),
    );
    if (signal === 'SIGSTOP') kill(leader.pid, 'SIGCONT');
    else await subject.revive(leader);
  }
  return all;
}

/** Changes of role or leader, oldest first. */
function changesIn(log: string): { readonly atMs: number; readonly leads: boolean }[] {
  const changes: { readonly atMs: number; readonly leads: boolean }[] = [];
  for (const text of log.split('\n')) {
    if (!text.includes('"leader changed"')) continue;
    const { time, role }: { readonly time: string; readonly role: string } = JSON.parse(text);
    changes.push({ atMs: Date.parse(time), leads: role === 'leader' });
  }
  return changes.sort((a, b) => a.atMs - b.atMs);
}

/** Writes all the time, several at once; a failed write is followed by the next. */
class Writing {
  longestGapMs = 0;
  #lastMs = performance.now();
  #number = 0;
  #stopped = false;
  #startedMs = 0;
  #acknowledged = 0;
  readonly #done: Promise<unknown>;

  constructor(write: (number: number) => Promise<void>) {
    this.#done = Promise.all(Array.from({ length: WRITERS }, () => this.#write(write)));
  }

  startTrial(): void {
    this.longestGapMs = 0;
    this.#startedMs = performance.now();
    this.#acknowledged = 0;
  }

  /** Resolves when writes that began after the fault are acknowledged again. */
  async resumed(): Promise<void> {
    while (this.#acknowledged < WRITERS) {
      const waitedMs = performance.now() - this.#startedMs;
      if (waitedMs > RESUMED_MS_MAX) throw new Error(`No write in ${waitedMs} ms after the fault`);
      await sleep(5);
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#done;
  }

  async #write(write: (number: number) => Promise<void>): Promise<void> {
    while (!this.#stopped) {
      const begunMs = performance.now();
      try {
        await write(this.#number++);
        const nowMs = performance.now();
        this.longestGapMs = Math.max(this.longestGapMs, nowMs - this.#lastMs);
        this.#lastMs = nowMs;
        if (begunMs > this.#startedMs) this.#acknowledged++;
      } catch {
        // The outcome is unknown or the store was away; how long nothing succeeds is what we measure.
        await sleep(1);
      }
    }
  }
}

async function throughClient(): Promise<Subject> {
  const store = await StoreProcesses.make(3);
  store.startAll();
  const client = await store.client();
  return {
    title: 'store client',
    write: async (number) => {
      await client.put({ key: `/bench/${number % 100}`, value: `${number}` });
    },
    leader: async () => {
      for (;;) {
        const texts = await Promise.all(store.members.map(({ metricsUrl }) => metricsOf(metricsUrl)));
        const index = texts.findIndex((text) => gauge(text, 'etcd_server_is_leader') === 1);
        const applied = texts.map((text) => gauge(text, 'etcd_server_proposals_applied_total'));
        const inStep = Math.max(...applied) - Math.min(...applied) < 500;
        if (index >= 0 && inStep) return { name: `${index}`, pid: store.pid(index) };
        await sleep(50);
      }
    },
    revive: async ({ name }) => {
      await store.stop(Number(name), 'SIGKILL');
      store.start(Number(name));
    },
    takeLog: () => {
      const log = store.output;
      store.output = '';
      return log;
    },
    close: () => store.close(),
  };
}

async function throughApi(): Promise<Subject> {
  const flags = ['--stores', '3', '--apiservers', '2'];
  const cluster = new Cluster({ name: 'bench-failover', nodes: 0, port: PORT, flags });
  await cluster.up();
  const client = clientOf(cluster.kubeconfig);
  const run = `${Date.now()}`;
  return {
    title: 'balancer and API server',
    write: async (number) => {
      await client.create(
        resources.configmaps,
        { metadata: { name: `bench-${run}-${number}` } },
        { namespace: 'default' },
      );
    },
    leader: async () => {
      for (;;) {
        const { daemons }: { daemons: readonly (Leader & { kind: string; healthy: boolean; leader: boolean })[] } =
          JSON.parse(await cluster.wherryOk(['status', '-o', 'json']));
        const leader = daemons.find((daemon) => daemon.kind === 'store' && daemon.leader);
        if (leader !== undefined && daemons.every(({ healthy }) => healthy)) return leader;
        await sleep(200);
      }
    },
    revive: async ({ name }) => {
      await cluster.wherryOk(['daemon', 'start', name]);
    },
    close: async () => {
      await client.close();
      await cluster.down();
    },
  };
}

async function metricsOf(url: string): Promise<string> {
  return fetch(`${url}/metrics`).then(
    (response) => response.text(),
    () => '',
  );
}

function gauge(text: string, name: string): number {
  return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1] ?? Number.NaN);
}

function report(title: string, { gapsMs, noticedMs, electedMs }: Trials, peerMs?: number): void {
  const [oneMinute = 0] = loadavg();
  process.stdout.write(`${title}, ${gapsMs.length} trials, load average ${oneMinute.toFixed(1)}\n`);
  const line = (what: string, valuesMs: readonly number[]) => {
    const sorted = [...valuesMs].sort((a, b) => a - b);
    const at = (part: number) => (sorted[Math.floor(part * (sorted.length - 1))] ?? Number.NaN).toFixed(0);
    process.stdout.write(`  ${what} median ${at(0.5)} ms, 90 % ${at(0.9)} ms, min ${at(0)} ms, max ${at(1)} ms\n`);
  };
  if (noticedMs.length > 0) {
    line('fault to noticed             ', noticedMs);
    line('fault to elected             ', electedMs);
  }
  line('longest time without a write ', gapsMs);
  if (peerMs !== undefined) process.stdout.write(`  etcd, the same                median ${peerMs} ms (quoted)\n`);
}
