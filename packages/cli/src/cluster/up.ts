import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Node } from '@wherry/api';
import type { Context } from '../context.ts';
import type { DaemonAction } from '../daemons/plan.ts';
import { observeDaemons } from '../daemons/records.ts';
import { daemonProgram } from '../daemons/start.ts';
import { endOrphans } from '../daemons/stop.ts';
import { dockerAt } from '../engine/docker.ts';
import { type EngineOutcome, ensureEngine } from '../engine/provider.ts';
import { Failure } from '../failure.ts';
import type { ClusterInfo } from '../joining/cluster-info.ts';
import type { Progress } from '../terminal/progress.ts';
import { ensureAddons } from './addons.ts';
import { readCheckedConfig } from './checked-config.ts';
import { type ClusterConfig, nodeNames, nodeNetwork, type UpFlags } from './config.ts';
import { configure } from './configure.ts';
import { hollowNodeNames } from './hollow-nodes.ts';
import { ensureHollowRights, removeSurplusNodes, waitForHollowNodes } from './hollow-objects.ts';
import { hostPlace } from './host-place.ts';
import { ensureIdentities } from './identities.ts';
import type { ClusterLayout } from './layout.ts';
import { LOOPBACK } from './places.ts';
import { isFree, portInUse } from './ports.ts';
import { removeFolder } from './remove-folder.ts';
import { ensureServerAddresses, removeAddresses } from './server-addresses.ts';
import { daemonSpecs, isServer } from './specs.ts';
import { startDaemons, stopStrays } from './start-daemons.ts';
import { type AnchorPids, startNodes } from './start-nodes.ts';
import { writeConfig } from './stored-config.ts';
import { together } from './together.ts';
import { Undo } from './undo.ts';
import { adminClient, waitForApi, waitForHealth, waitForNodes } from './wait.ts';

export interface UpResult {
  readonly config: ClusterConfig;
  readonly nodes: readonly Node[];
  readonly actions: readonly DaemonAction[];
  /** Names of daemons that run but did not say in time that they are well. */
  readonly unhealthy: readonly string[];
}

/**
 * Makes a cluster be as its flags and its record say: whatever is missing is made and started, whatever runs as it
 * should is left alone. When it fails, what this call made is taken back.
 */
export async function up(
  context: Context,
  layout: ClusterLayout,
  flags: UpFlags,
  progress: Progress,
): Promise<UpResult> {
  const undo = new Undo();
  try {
    return await new Start(context, layout, progress, undo).run(flags);
  } catch (error) {
    await undo.run((problem) => context.terminal.err(problem));
    throw error;
  }
}

class Start {
  readonly #context: Context;
  readonly #layout: ClusterLayout;
  readonly #progress: Progress;
  readonly #undo: Undo;
  #engine: Promise<EngineOutcome> | undefined;

  constructor(context: Context, layout: ClusterLayout, progress: Progress, undo: Undo) {
    this.#context = context;
    this.#layout = layout;
    this.#progress = progress;
    this.#undo = undo;
  }

  async run(flags: UpFlags): Promise<UpResult> {
    await endOrphans(this.#context, this.#layout);
    const recorded = readCheckedConfig(this.#layout);
    const living = observeDaemons(this.#layout).filter(({ state }) => state !== 'gone');
    const held = new Set(living.map(({ record }) => record.spec.name));
    const known = { held, random: this.#context.random };
    const config = await configure(this.#layout.name, flags, recorded, known, () => this.#findEngine());
    await checkApiserverPort(this.#layout, config);
    await this.#record(config, recorded);
    const actions = await this.#start(config);
    const names = nodeNames(config);
    const nodes = names.length === 0 ? [] : await this.#waitForNodes(names);
    await this.#hollowNodes(config);
    const unhealthy = await waitForHealth(this.#context, this.#layout);
    return { config, nodes, actions, unhealthy };
  }

  async #record(config: ClusterConfig, recorded: ClusterConfig | undefined): Promise<void> {
    const layout = this.#layout;
    this.#undo.add('the configuration', () =>
      recorded === undefined ? removeFolder(this.#context, layout.folder) : writeConfig(layout, recorded),
    );
    await mkdir(layout.data, { recursive: true, mode: 0o700 });
    await writeConfig(layout, config);
  }

  /**
   * The store and the API server start while the nodes' network is being made. Everything else starts once the API
   * answers: a client that came earlier would be refused, and only wait a while before it tried again.
   */
  async #start(config: ClusterConfig): Promise<readonly DaemonAction[]> {
    const [context, layout, undo] = [this.#context, this.#layout, this.#undo];
    const host = await this.#engineHost(config);
    const specs = daemonSpecs(config, layout, hostPlace(context));
    const stopped = await stopStrays(context, layout, specs);
    await this.#addresses(config);
    const anchors = this.#startNodes(config, host);
    const identities = this.#progress.step(
      'making certificates',
      () => ensureIdentities(config, layout, context.clock.now()),
      (made) => (made.length === 0 ? undefined : `${made.length} certificates and keys in ${layout.pki}`),
    );
    const servers = identities.then(() => startDaemons(context, layout, specs.filter(isServer), new Map(), undo));
    const api = servers.then(() => this.#waitForApi(config));
    // Compiling what is needed next uses the time in which the servers start.
    const programs = servers.then(() => together(specs.map((spec) => daemonProgram(context, spec.kind))));
    const clients = together([anchors, api, programs]).then(([pids]) =>
      startDaemons(
        context,
        layout,
        specs.filter((spec) => !isServer(spec)),
        pids,
        undo,
      ),
    );
    const started = await together([servers, clients]);
    return [...stopped, ...started.flat()];
  }

  /** First of all: API servers listen at them. */
  async #addresses(config: ClusterConfig): Promise<void> {
    const added = await ensureServerAddresses(this.#context, config);
    if (added.length > 0) this.#undo.add('addresses', () => removeAddresses(this.#context, added));
  }

  #startNodes(config: ClusterConfig, host: string | undefined): Promise<AnchorPids> {
    const subnet = nodeNetwork(config);
    if (subnet === undefined || host === undefined) return Promise.resolve(new Map());
    return this.#progress.step(
      'starting virtual nodes',
      () => startNodes(dockerAt(host), config, subnet, this.#layout, this.#undo),
      (pids) => `${pids.size} virtual nodes on Docker network ${subnet.cidr}`,
    );
  }

  async #hollowNodes(config: ClusterConfig): Promise<void> {
    if (config.ports.hollowProcess === undefined) return;
    const remove = () => removeSurplusNodes(this.#layout, config, this.#context.signal);
    const done = (count: number) => (count === 0 ? undefined : `${count} hollow nodes removed`);
    await this.#progress.step('removing hollow nodes', remove, done);
    const names = hollowNodeNames(config);
    if (names.length === 0) return;
    await this.#progress.step(
      'waiting for hollow nodes',
      () => waitForHollowNodes(this.#context, this.#layout, (detail) => this.#progress.detail(detail)),
      () => `${names.length} hollow nodes are Ready`,
    );
  }

  #findEngine(): Promise<EngineOutcome> {
    this.#engine ??= this.#progress.step(
      'looking for a Docker engine',
      () => ensureEngine(this.#context, (what) => this.#progress.note(what)),
      (outcome) =>
        outcome.kind === 'ready' ? `Docker engine ${outcome.engine.version} at ${outcome.engine.host}` : undefined,
    );
    return this.#engine;
  }

  /** @returns undefined when no node of the cluster needs an engine */
  async #engineHost(config: ClusterConfig): Promise<string | undefined> {
    if (config.nodes === 0 || config.runtime === 'hollow') return undefined;
    const outcome = await this.#findEngine();
    if (outcome.kind === 'unavailable') throw new Failure(`Cannot run nodes on Docker: ${outcome.reason}`);
    return outcome.engine.host;
  }

  async #waitForApi(config: ClusterConfig): Promise<void> {
    const client = adminClient(this.#layout);
    try {
      await this.#progress.step(
        'waiting for the API server',
        () => waitForApi(this.#context, this.#layout, client),
        () => `API server answers at https://127.0.0.1:${config.ports.apiserver}`,
      );
      await ensureAddons(client, await this.#clusterInfo(config), this.#context.signal);
      await ensureHollowRights(client, config, this.#context.signal);
    } finally {
      await client.close();
    }
  }

  /** What hosts that join are told; a machine without a network can only be joined by itself. */
  async #clusterInfo(config: ClusterConfig): Promise<ClusterInfo> {
    const address = hostPlace(this.#context).address ?? LOOPBACK;
    const authority = await readFile(join(this.#layout.pki, 'ca.crt'), 'utf8');
    return { server: `https://${address}:${config.ports.apiserver}`, authority };
  }

  async #waitForNodes(names: readonly string[]): Promise<readonly Node[]> {
    const client = adminClient(this.#layout);
    const report = (detail: string): void => this.#progress.detail(detail);
    try {
      return await this.#progress.step(
        'waiting for nodes',
        () => waitForNodes(this.#context, this.#layout, client, names, report),
        (nodes) => `${nodes.length} nodes are Ready`,
      );
    } finally {
      await client.close();
    }
  }
}

/** A port that our own API server or balancer holds is no trouble; anybody else's is, and better said than found in a log. */
async function checkApiserverPort(layout: ClusterLayout, config: ClusterConfig): Promise<void> {
  const door = `${LOOPBACK}:${config.ports.apiserver}`;
  const isOurs = observeDaemons(layout).some(
    ({ record, state }) => state !== 'gone' && record.spec.addresses.includes(door),
  );
  if (!isOurs && !(await isFree(config.ports.apiserver))) throw portInUse(config.ports.apiserver);
}
