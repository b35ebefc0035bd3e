import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import type { Node } from '@wherry/api';
import { architectureOf, ensureImages, sandboxImage } from '@wherry/images';
import type Docker from 'dockerode';
import type { Context } from '../context.ts';
import { type DaemonAction, planDaemons } from '../daemons/plan.ts';
import { signalProcess } from '../daemons/process-identity.ts';
import { observeDaemons } from '../daemons/records.ts';
import type { DaemonSpec } from '../daemons/spec.ts';
import { daemonPrograms, desiredDaemon, startDaemon } from '../daemons/start.ts';
import { stopDaemon, stopDaemons } from '../daemons/stop.ts';
import { dockerAt } from '../engine/docker.ts';
import { type EngineOutcome, ensureEngine } from '../engine/provider.ts';
import { Failure } from '../failure.ts';
import { ensureAnchor } from '../nodes/anchors.ts';
import { removeContainersAndNetwork } from '../nodes/containers.ts';
import { ensureNetwork } from '../nodes/network.ts';
import type { Progress } from '../terminal/progress.ts';
import { ensureAddons } from './addons.ts';
import { type ClusterConfig, nodeNames, type UpFlags } from './config.ts';
import { configure } from './configure.ts';
import { ensureIdentities } from './identities.ts';
import type { ClusterLayout } from './layout.ts';
import { isFree, portInUse } from './ports.ts';
import { daemonSpecs } from './specs.ts';
import { readConfig, writeConfig } from './stored-config.ts';
import { nodeAddress } from './subnet.ts';
import { Undo } from './undo.ts';
import { adminClient, waitForApi, waitForNodes } from './wait.ts';

export interface UpResult {
  readonly config: ClusterConfig;
  readonly nodes: readonly Node[];
  readonly actions: readonly DaemonAction[];
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
    const [context, layout] = [this.#context, this.#layout];
    const recorded = readConfig(layout);
    const config = await configure(layout.name, flags, recorded, () => this.#findEngine());
    await checkApiserverPort(layout, config);
    if (recorded === undefined)
      this.#undo.add('the state folder', () => rm(layout.folder, { recursive: true, force: true }));
    await mkdir(layout.data, { recursive: true, mode: 0o700 });
    await writeConfig(layout, config);
    if (recorded !== undefined) this.#undo.add('the configuration', () => writeConfig(layout, recorded));
    const actions = await this.#startDaemons(config);
    const client = adminClient(layout);
    try {
      await this.#progress.step(
        'waiting for the API server',
        () => waitForApi(context, layout, client),
        () => `API server answers at https://127.0.0.1:${config.ports.apiserver}`,
      );
      if (config.subnet !== undefined) await ensureAddons(client, context.signal);
      const names = nodeNames(config);
      if (names.length === 0) return { config, nodes: [], actions };
      const nodes = await this.#progress.step(
        'waiting for nodes',
        () => waitForNodes(context, layout, client, names, (detail) => this.#progress.detail(detail)),
        (found) => `${found.length} nodes are Ready`,
      );
      return { config, nodes, actions };
    } finally {
      await client.close();
    }
  }

  #findEngine(): Promise<EngineOutcome> {
    this.#engine ??= this.#progress.step(
      'looking for a Docker engine',
      () => ensureEngine(this.#context, (what) => this.#progress.detail(what)),
      (outcome) =>
        outcome.kind === 'ready' ? `Docker engine ${outcome.engine.version} at ${outcome.engine.host}` : undefined,
    );
    return this.#engine;
  }

  /** The daemons of the control plane do not wait for nodes: those start as soon as their anchors do. */
  async #startDaemons(config: ClusterConfig): Promise<readonly DaemonAction[]> {
    const [context, layout] = [this.#context, this.#layout];
    const engineHost = await this.#engineHost(config);
    const specs = daemonSpecs(config, layout, engineHost);
    const anchors = this.#startAnchors(config, engineHost);
    const prepared = together([
      this.#progress.step(
        'bundling',
        () => daemonPrograms(context, new Set(specs.map((spec) => spec.kind))),
        () => undefined,
      ),
      this.#progress.step(
        'making certificates',
        () => ensureIdentities(config, layout, context.clock.now()),
        (made) => (made.length === 0 ? undefined : `${made.length} certificates and keys in ${layout.pki}`),
      ),
    ]);
    const start = async (
      some: readonly DaemonSpec[],
      pids: ReadonlyMap<string, number>,
    ): Promise<readonly DaemonAction[]> => {
      const [programs] = await prepared;
      const desired = await Promise.all(
        some.map((spec) => {
          const program = programs.get(spec.kind);
          if (program === undefined) throw new Failure(`There is no program for ${spec.kind}`);
          return desiredDaemon(
            context,
            spec,
            program,
            spec.namespace === undefined ? undefined : pids.get(spec.namespace),
          );
        }),
      );
      const names = new Set(some.map((spec) => spec.name));
      const observed = observeDaemons(layout).filter((daemon) => names.has(daemon.record.spec.name));
      const actions = planDaemons(desired, observed);
      await together(actions.map((action) => this.#perform(action)));
      return actions;
    };
    const onNetwork = anchors.then((pids) => start(specs.filter(needsNetwork), pids));
    const onHost = start(
      specs.filter((spec) => !needsNetwork(spec)),
      new Map(),
    );
    const [here, inside] = await together([onHost, onNetwork]);
    return [...here, ...inside];
  }

  async #engineHost(config: ClusterConfig): Promise<string> {
    if (config.subnet === undefined || config.nodes === 0) return '';
    const outcome = await this.#findEngine();
    if (outcome.kind === 'unavailable') throw new Failure(`Cannot run nodes on Docker: ${outcome.reason}`);
    return outcome.engine.host;
  }

  async #startAnchors(config: ClusterConfig, host: string): Promise<ReadonlyMap<string, number>> {
    const { subnet } = config;
    if (subnet === undefined || host === '') return new Map();
    const docker = dockerAt(host);
    return this.#progress.step(
      'starting virtual nodes',
      async () => {
        await this.#ensureNetworkAndImage(docker, subnet);
        const anchors = await together(
          nodeNames(config).map((node, index) => ensureAnchor(docker, this.#layout, node, nodeAddress(subnet, index))),
        );
        return new Map(anchors.map((anchor) => [anchor.node, anchor.pid]));
      },
      (pids) => `${pids.size} virtual nodes on Docker network ${subnet.cidr}`,
    );
  }

  async #ensureNetworkAndImage(docker: Docker, subnet: NonNullable<ClusterConfig['subnet']>): Promise<void> {
    const architecture = architectureOf((await docker.version()).Arch);
    const [made] = await together([
      ensureNetwork(docker, this.#layout, subnet),
      ensureImages(docker, [sandboxImage(architecture)]),
    ]);
    if (made) this.#undo.add('containers and network', () => removeContainersAndNetwork(docker, this.#layout.name));
  }

  async #perform(action: DaemonAction): Promise<void> {
    const [context, layout] = [this.#context, this.#layout];
    if (action.kind === 'resume') {
      signalProcess(action.running.record.process, 'SIGCONT');
      return;
    }
    if (action.kind === 'replace' || action.kind === 'stop') await stopDaemon(context, action.running);
    if (action.kind === 'stop') return;
    const record = await startDaemon(context, layout, action.daemon);
    this.#undo.add(record.spec.name, async () => {
      await stopDaemons(context, layout, [{ record, state: 'running' }]);
    });
  }
}

/** Whether a daemon can start only once the nodes' network is there: it enters a node, or listens on the gateway. */
function needsNetwork(spec: DaemonSpec): boolean {
  return spec.namespace !== undefined || spec.kind === 'dns';
}

/**
 * Like Promise.all, but waits for all even when one fails: what is being made must be there before it can be taken back.
 */
async function together<const T extends readonly Promise<unknown>[]>(
  work: T,
): Promise<{ readonly [K in keyof T]: Awaited<T[K]> }> {
  const results = await Promise.allSettled(work);
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return Promise.all(work) as Promise<{ readonly [K in keyof T]: Awaited<T[K]> }>;
}

/** A port that our own API server holds is no trouble; anybody else's is, and better said than found in a log. */
async function checkApiserverPort(layout: ClusterLayout, config: ClusterConfig): Promise<void> {
  if (
    existsSync(layout.run) &&
    observeDaemons(layout).some(({ record, state }) => record.spec.kind === 'apiserver' && state !== 'gone')
  )
    return;
  if (!(await isFree(config.ports.apiserver))) throw portInUse(config.ports.apiserver);
}
