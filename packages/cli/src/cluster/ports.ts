import { createServer } from 'node:net';
import type { Random } from '@wherry/daemon';
import type { DaemonKind } from '../daemons/spec.ts';
import { Failure } from '../failure.ts';
import { type Ports, usualPorts } from './config.ts';

/** How often a port may turn out to be taken. */
const TRIES_MAX = 1000;

/** Above the usual ones, below NodePorts and what kernels give to clients. */
const OTHERS_FROM = 20_000;
const OTHERS_COUNT = 10_000;

export interface PortWishes {
  /** The API server's port when the user asked for one. */
  readonly apiserver: number | undefined;
  /** What the cluster had before. */
  readonly recorded: Ports | undefined;
  /** Kinds of daemons that run already and hold their ports themselves. */
  readonly held: ReadonlySet<DaemonKind>;
  readonly hollowNodes: number;
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
  const { recorded, held, random } = wishes;
  const apiserver = wishes.apiserver ?? recorded?.apiserver ?? (await firstFree(usualPorts.apiserver));
  const chosen = new Set([apiserver]);
  const choose = async (name: Exclude<keyof Ports, 'apiserver'>, kind: DaemonKind, count = 1): Promise<number> => {
    if (recorded !== undefined && held.has(kind)) return recorded[name];
    const preferred = recorded?.[name] ?? (wishes.isDefault ? usualPorts[name] : undefined);
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const port =
        tries === 0 && preferred !== undefined ? preferred : OTHERS_FROM + random.integer(OTHERS_COUNT - count);
      const run = Array.from({ length: count }, (_, index) => port + index);
      if (run.some((one) => chosen.has(one))) continue;
      if (!(await Promise.all(run.map(isFree))).every((free) => free)) continue;
      for (const one of run) chosen.add(one);
      return port;
    }
    throw new Failure(`Cannot find a free port from ${OTHERS_FROM} to ${OTHERS_FROM + OTHERS_COUNT}`);
  };
  return {
    apiserver,
    storeClient: await choose('storeClient', 'store'),
    storePeer: await keepPeerPort(wishes, () => choose('storePeer', 'store')),
    storeMetrics: await choose('storeMetrics', 'store'),
    scheduler: await choose('scheduler', 'scheduler'),
    controllerManager: await choose('controllerManager', 'controller-manager'),
    dns: await choose('dns', 'dns'),
    dnsHealth: await choose('dnsHealth', 'dns'),
    hollowNodes: await choose('hollowNodes', 'kubelet', 2 * Math.max(1, wishes.hollowNodes)),
  };
}

/** A member of the store is known by its peer address: once it has data, the port stays, or the member is another. */
async function keepPeerPort({ recorded, held }: PortWishes, choose: () => Promise<number>): Promise<number> {
  if (recorded === undefined) return choose();
  const port = recorded.storePeer;
  if (held.has('store') || (await isFree(port))) return port;
  throw new Failure(`Port ${port}, which the store needs, is in use by another process: free it`);
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
