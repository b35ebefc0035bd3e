import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Event, type Pod, type PodList, resources, type Service } from '@wherry/api';
import { type ApiClient, createClient, loadKubeconfig } from '@wherry/client';
import { clientOf } from '../harness/acknowledged-writer.ts';
import { Cluster } from '../harness/cluster.ts';
import { eventually } from '../harness/eventually.ts';
import { ContainerObserver } from './checks/container-observer.ts';
import { converged } from './checks/convergence.ts';
import { podProblems, schedulingProblems } from './checks/pod-rules.ts';
import { overlaps } from './checks/runs.ts';
import { differences, WatchHistory } from './checks/watch-history.ts';
import { Engine } from './engine.ts';
import { Daemons } from './inject/daemons.ts';
import { type Injected, Injector } from './inject/injector.ts';
import { Supervisor } from './inject/supervisor.ts';
import { NumberedWriter } from './load/numbered-writer.ts';
import { type ClientPlace, ServiceClients } from './load/service-clients.ts';
import { identitySet, namespace, workload } from './load/workload.ts';
import { clusterHome, clusterName, INSIDE } from './place.ts';
import { describeFault, type Fault, type FaultTarget } from './plan/fault.ts';

/** What became of one fault. */
export interface Outcome extends Injected {
  /** Longest time without an acknowledged write. */
  readonly writeGapMs: number;
  /** After the fault's end; absent where nobody waited for it. */
  readonly convergedMs?: number;
}

export interface ExperimentOptions {
  readonly profile: 'fast' | 'upstream';
  readonly log: (text: string) => void;
}

const holdsUpWrites = (target: FaultTarget): boolean =>
  target.startsWith('store-') || target === 'apiserver' || target === 'balancer';

/** After a fault's end, for what its victim has to do before it serves again. */
const RECOVERY_MS = 3_000;

const flags = ['--stores', '3', '--apiservers', '2', '--schedulers', '2', '--controller-managers', '2'];

/** A cluster that is used, watched and broken at the same time. */
export class Experiment {
  readonly cluster: Cluster;
  readonly engine = new Engine();
  readonly daemons = new Daemons(join(clusterHome, clusterName));
  readonly requests = new ServiceClients();
  readonly supervisor: Supervisor;
  readonly outcomes: Outcome[] = [];
  /** Cluster IP that the clients ask. */
  serviceAddress = '';
  readonly #log: (text: string) => void;
  readonly #injector: Injector;
  readonly #observer = new ContainerObserver(namespace);
  readonly #clients: ApiClient[] = [];
  readonly #podHistories: WatchHistory<Pod>[] = [];
  readonly #eventHistories: WatchHistory<Event>[] = [];
  #admin: ApiClient | undefined;
  #writer: NumberedWriter | undefined;

  constructor({ profile, log }: ExperimentOptions) {
    if (process.env[INSIDE] !== 'true')
      throw new Error('The fault tests run in a place of their own: node tests/faults/inside.ts <script>');
    const profiled = ['--runtime', 'docker', '--profile', profile, ...flags];
    this.cluster = new Cluster({ name: clusterName, nodes: 3, port: 36543, flags: profiled });
    this.#log = log;
    this.supervisor = new Supervisor(this.cluster, this.daemons, this.engine, log);
    this.#injector = new Injector(this.daemons, this.engine, this.supervisor);
  }

  get admin(): ApiClient {
    if (this.#admin === undefined) throw new Error('The cluster is not up yet');
    return this.#admin;
  }

  get writer(): NumberedWriter {
    if (this.#writer === undefined) throw new Error('The cluster is not up yet');
    return this.#writer;
  }

  async setUp(): Promise<void> {
    rmSync(clusterHome, { recursive: true, force: true });
    await this.engine.start();
    await this.engine.answers();
    this.#log(await this.cluster.up());
    this.#admin = clientOf(this.cluster.kubeconfig);
    this.#clients.push(this.admin);
    await this.cluster.apply(workload);
    for (const what of ['deployment/web', `statefulset/${identitySet}`, 'daemonset/client'])
      await this.cluster.kubectlOk(['rollout', 'status', what, '-n', namespace, '--timeout=120s']);
    await this.convergence(Date.now());
    await this.#startWatching();
    await this.#startLoad();
    this.supervisor.start();
  }

  /** Waits until all is well again. @returns how long after `sinceMs` */
  convergence(sinceMs: number): Promise<number> {
    const { daemons } = this;
    return converged({ client: this.admin, daemons, docker: this.#observer.docker, namespace }, sinceMs);
  }

  /** One fault after another, each overcome before the next. */
  async runOneByOne(faults: readonly Fault[]): Promise<void> {
    for (const fault of faults) await this.runOne(fault);
  }

  async runOne(fault: Fault): Promise<Outcome> {
    const injected = await this.#inject(fault);
    const convergedMs = await this.convergence(injected.endMs);
    return this.#keep(injected, convergedMs);
  }

  /** Faults at their times, whatever became of those before. @returns when everything was well after the last one's end */
  async runOnTime(faults: readonly Fault[]): Promise<number> {
    const startMs = Date.now();
    const injected = await Promise.all(
      faults.map(async (fault) => {
        await sleep(Math.max(0, startMs + fault.atMs - Date.now()));
        return this.#inject(fault);
      }),
    );
    const convergedMs = await this.convergence(Math.max(startMs, ...injected.map(({ endMs }) => endMs)));
    for (const one of injected) this.#keep(one);
    return convergedMs;
  }

  /** Ends load and watching. @returns everything that may not be */
  async verdict(): Promise<readonly string[]> {
    await this.requests.stop();
    await this.writer.stop();
    await this.supervisor.stop();
    const { metadata } = await this.admin.list(resources.pods, { namespace });
    const present = BigInt(metadata?.resourceVersion ?? '0');
    const histories = [...this.#podHistories, ...this.#eventHistories];
    // Bookmarks move the revision of those to whom nothing happens.
    await eventually('the watchers have seen the last pod', async () => {
      const last = await this.admin.list(resources.pods);
      const revisions = last.items.map((pod) => BigInt(pod.metadata?.resourceVersion ?? '0'));
      const newest = revisions.reduce((max, one) => (one > max ? one : max), 0n);
      if (this.#podHistories.some(({ revision }) => revision < newest)) throw new Error(`at ${present}`);
    });
    await Promise.all([...histories.map((history) => history.stop()), this.#observer.stop()]);
    const [pods, otherPods] = this.#podHistories;
    return [
      ...(await this.writer.problems()),
      ...this.requests.lost.map(
        ({ from, sentMs, tookMs, reason, endpoint }) =>
          `request from ${from} at ${time(sentMs)} lost after ${tookMs} ms: ${reason} (endpoint ${endpoint ?? 'unknown'})`,
      ),
      ...this.requests.endedEarly,
      ...histories.flatMap(({ problems }) => problems),
      ...this.#podHistories.flatMap(({ events }) => podProblems(events)),
      ...this.#eventHistories.flatMap(({ events }) => schedulingProblems(events)),
      ...(pods === undefined || otherPods === undefined ? [] : differences(pods, otherPods)),
      ...overlaps(this.#observer.runs),
    ];
  }

  /** Figures for people. */
  summary(): string {
    const { requests, writer } = this;
    const gaps = [...Map.groupBy(this.outcomes, ({ fault }) => `${fault.action} ${fault.target}`)].map(
      ([what, all]) => `  ${what}: ${all.length} times, ${this.#longestGap(all)}`,
    );
    return [
      `${this.outcomes.length} faults, of which ${this.outcomes.filter(({ victim }) => victim === undefined).length} found nobody in the role`,
      ...gaps.sort(),
      `${writer.acknowledged} writes acknowledged, ${[...writer.failures.values()].reduce((sum, one) => sum + one, 0)} without an answer`,
      ...[...writer.failures].map(([message, count]) => `  ${count} × ${message}`),
      `${requests.sent} requests, ${requests.lost.length} lost, ${requests.slow.length} slow, the slowest took ${requests.longestMs} ms`,
      ...requests.slow.map(
        ({ from, sentMs, tookMs, pod }) => `  slow: ${time(sentMs)} from ${from} to ${pod}, ${tookMs} ms`,
      ),
      `${this.#observer.runs.length} runs of containers, ${this.#podHistories[0]?.events.length ?? 0} changes of pods, watches resumed ${this.#podHistories.map(({ name, resumed }) => `${name}: ${resumed}`).join(', ')} times`,
      `ended by themselves: ${this.supervisor.endedByThemselves.map(({ name }) => name).join(', ') || 'nobody'}`,
    ].join('\n');
  }

  async tearDown(): Promise<void> {
    await this.requests.stop();
    await this.#writer?.stop();
    await this.supervisor.stop();
    await Promise.all([...this.#podHistories, ...this.#eventHistories].map((history) => history.stop()));
    await this.#observer.stop();
    await Promise.all(this.#clients.map((client) => client.close()));
    await this.cluster.wherryOk(['down'], { timeoutMs: 180_000 });
    await this.engine.stop();
  }

  /** Where writes can be held up by several faults at a time, nobody knows by which: those are left out. */
  #longestGap(outcomes: readonly Outcome[]): string {
    const holding = this.outcomes.filter(({ fault }) => holdsUpWrites(fault.target));
    const alone = outcomes.filter(({ fault, startMs, endMs }) =>
      holding.every(
        (other) => other.fault === fault || other.endMs + RECOVERY_MS < startMs || other.startMs > endMs + RECOVERY_MS,
      ),
    );
    if (alone.length === 0) return 'never alone';
    return `writes stood still for at most ${Math.max(...alone.map(({ writeGapMs }) => writeGapMs))} ms`;
  }

  async #inject(fault: Fault): Promise<Injected> {
    return this.#injector.inject(fault, (victim) => this.#log(`${describeFault(fault)}: ${victim}`));
  }

  #keep(injected: Injected, convergedMs?: number): Outcome {
    const writeGapMs = this.writer.longestGapMs(injected.startMs, injected.endMs);
    const outcome = { ...injected, writeGapMs, ...(convergedMs === undefined ? {} : { convergedMs }) };
    this.outcomes.push(outcome);
    const after = convergedMs === undefined ? '' : `, converged ${convergedMs} ms after its end`;
    this.#log(`#${injected.fault.number} over: writes stood still for at most ${writeGapMs} ms${after}`);
    return outcome;
  }

  /** One watcher of each API server, so that their stories can be compared. */
  async #startWatching(): Promise<void> {
    const text = readFileSync(this.cluster.kubeconfig, 'utf8');
    const { connection } = loadKubeconfig(text, (path) => readFileSync(path, 'utf8'));
    for (const { name, addresses } of this.daemons.all().filter(({ kind }) => kind === 'apiserver')) {
      const client = createClient({ ...connection, server: `https://${addresses[0]}` });
      this.#clients.push(client);
      this.#podHistories.push(new WatchHistory(name, client, resources.pods));
      this.#eventHistories.push(new WatchHistory(name, client, resources.events));
    }
    await Promise.all([...this.#podHistories, ...this.#eventHistories].map((history) => history.start()));
    this.#observer.start();
  }

  async #startLoad(): Promise<void> {
    const service = await this.cluster.get<Service>(['service', 'web', '-n', namespace]);
    this.serviceAddress = service.spec?.clusterIP ?? '';
    this.requests.start(`http://${this.serviceAddress}/`, await this.#clientPlaces());
    this.#writer = new NumberedWriter({ client: this.admin, namespace });
    this.#writer.start();
  }

  async #clientPlaces(): Promise<readonly ClientPlace[]> {
    const { items } = await this.cluster.get<PodList>(['pods', '-n', namespace, '-l', 'app=client']);
    const { docker } = this.#observer;
    return Promise.all(
      items.map(async ({ metadata, spec }) => {
        const label = [`io.kubernetes.pod.uid=${metadata?.uid}`, 'io.wherry.role=sandbox'];
        const [sandbox] = await docker.listContainers({ filters: { label } });
        const node = spec?.nodeName ?? '';
        const [inPod, inNode] = await Promise.all([
          docker.getContainer(sandbox?.Id ?? '').inspect(),
          docker.getContainer(`wherry-${clusterName}-${node}`).inspect(),
        ]);
        return { node, podPid: inPod.State.Pid, anchorPid: inNode.State.Pid };
      }),
    );
  }
}

const time = (ms: number): string => new Date(ms).toISOString().slice(11, 23);
