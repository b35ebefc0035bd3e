import { createServer } from 'node:net';
import type { Random } from '@wherry/daemon';
import { Failure } from '../failure.ts';
import { type ClusterConfig, type Ports, type StorePorts, usualPorts } from './config.ts';

/** How often a port may turn out to be taken. */
const TRIES_MAX = 1000;

/** Above the usual ones, below NodePorts and what kernels give to clients. */
const OTHERS_FROM = 20_000;
const OTHERS_COUNT = 10_000;

/** Further members of the default cluster's store have ports at this distance, other daemons at the next. */
const STORE_STEP = 100;
const STEP = 10;

export interface PortWishes extends Pick<ClusterConfig, 'stores' | 'schedulers' | 'controllerManagers'> {
  /** The API server's port when the user asked for one. */
  readonly apiserver: number | undefined;
  /** What the cluster had before. */
  readonly recorded: Ports | undefined;
  /** Names of daemons that run already and hold their ports themselves. */
  readonly held: ReadonlySet<string>;
  /** Whether the API servers that run already are behind a balancer. */
  readonly wereBalanced: boolean;
  readonly hollowNodes: number;
  /** Whether there is a process of many hollow nodes. */
  readonly hollowProcess: boolean;
  /** The cluster that may have the usual ports. */
  readonly isDefault: boolean;
  readonly random: Random;
}

/**
 * Chooses ports for a cluster: the recorded ones where they are free; else for the cluster "default" the usual ones;
 * else any free ones, by chance, because several clusters may be started at the same moment. Only the API server's is
 * never moved once users have been told of it.
 */
export async function choosePorts(wishes: PortWishes): Promise<Ports> {
  const { recorded, isDefault, held } = wishes;
  const apiserver = wishes.apiserver ?? recorded?.apiserver ?? (await firstFree(usualPorts.apiserver));
  const chooser = new Chooser(wishes, apiserver);
  const usual = (port: number, offset = 0): number | undefined => (isDefault ? port + offset : undefined);
  const stores: StorePorts[] = [];
  for (let index = 0; index < wishes.stores; index++) {
    stores.push(await chooser.store(`store-${index + 1}`, recorded?.stores[index], index));
  }
  const several = async (name: string, count: number, was: readonly number[], first: number): Promise<number[]> => {
    const ports: number[] = [];
    for (let index = 0; index < count; index++) {
      ports.push(await chooser.port(`${name}-${index + 1}`, was[index], usual(first, index * STEP)));
    }
    return ports;
  };
  const [scheduler = 0] = usualPorts.schedulers;
  const [controllerManager = 0] = usualPorts.controllerManagers;
  const balanced = wishes.wereBalanced ? [...held].find((name) => name.startsWith('apiserver-')) : undefined;
  const kubelet = [...held].find((name) => name.startsWith('kubelet-')) ?? 'kubelet';
  return {
    apiserver,
    balanced: await chooser.port(balanced ?? 'apiserver', recorded?.balanced, usual(usualPorts.balanced)),
    balancerHealth: await chooser.port('balancer', recorded?.balancerHealth, usual(usualPorts.balancerHealth)),
    stores,
    schedulers: await several('scheduler', wishes.schedulers, recorded?.schedulers ?? [], scheduler),
    controllerManagers: await several(
      'controller-manager',
      wishes.controllerManagers,
      recorded?.controllerManagers ?? [],
      controllerManager,
    ),
    dns: await chooser.port('dns', recorded?.dns, usual(usualPorts.dns)),
    dnsHealth: await chooser.port('dns', recorded?.dnsHealth, usual(usualPorts.dnsHealth)),
    hollowNodes: await chooser.port(
      kubelet,
      recorded?.hollowNodes,
      usual(usualPorts.hollowNodes),
      2 * Math.max(1, wishes.hollowNodes),
    ),
    ...(await hollowProcess(wishes, chooser)),
  };
}

async function hollowProcess(wishes: PortWishes, chooser: Chooser): Promise<Pick<Ports, 'hollowProcess'>> {
  const was = wishes.recorded?.hollowProcess;
  if (!wishes.hollowProcess) return was === undefined ? {} : { hollowProcess: was };
  return { hollowProcess: await chooser.port('hollow-nodes', was, undefined, 2) };
}

class Chooser {
  readonly #wishes: PortWishes;
  readonly #chosen: Set<number>;

  constructor(wishes: PortWishes, apiserver: number) {
    this.#wishes = wishes;
    this.#chosen = new Set([apiserver]);
  }

  /** First of `count` free ports in a row. */
  async port(daemon: string, recorded: number | undefined, usual: number | undefined, count = 1): Promise<number> {
    if (recorded !== undefined && this.#wishes.held.has(daemon)) {
      this.#chosen.add(recorded);
      return recorded;
    }
    const preferred = recorded ?? usual;
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const random = OTHERS_FROM + this.#wishes.random.integer(OTHERS_COUNT - count);
      const port = tries === 0 && preferred !== undefined ? preferred : random;
      const run = Array.from({ length: count }, (_, index) => port + index);
      if (run.some((one) => this.#chosen.has(one))) continue;
      if (!(await Promise.all(run.map(isFree))).every((free) => free)) continue;
      for (const one of run) this.#chosen.add(one);
      return port;
    }
    throw new Failure(`Cannot find a free port from ${OTHERS_FROM} to ${OTHERS_FROM + OTHERS_COUNT}`);
  }

  async store(daemon: string, recorded: StorePorts | undefined, index: number): Promise<StorePorts> {
    const [first] = usualPorts.stores;
    const usual = (port: number | undefined): number | undefined =>
      this.#wishes.isDefault && port !== undefined ? port + index * STORE_STEP : undefined;
    return {
      client: await this.port(daemon, recorded?.client, usual(first?.client)),
      peer: await this.port(daemon, recorded?.peer, usual(first?.peer)),
      metrics: await this.port(daemon, recorded?.metrics, usual(first?.metrics)),
    };
  }
}

async function firstFree(from: number): Promise<number> {
  for (let port = from; port < from + TRIES_MAX; port++) {
    if (await isFree(port)) return port;
  }
  throw new Failure(`Cannot find a free port from ${from} to ${from + TRIES_MAX}`);
}

export function portInUse(port: number): Failure {
  return new Failure(`Port ${port} is in use by another process: free it, or choose another with --port`);
}

/** Whether nobody on this host listens on the port. */
export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(false);
      else if (error.code === 'EACCES')
        reject(new Failure(`Port ${port} may only be opened by root: choose another with --port`));
      else reject(error);
    });
    server.listen({ port, host: '0.0.0.0', exclusive: true }, () => server.close(() => resolve(true)));
  });
}
