import { createServer } from 'node:net';
import type { DaemonKind } from '../daemons/spec.ts';
import { Failure } from '../failure.ts';
import { type Ports, usualPorts } from './config.ts';

/** How far a port may be from its usual one. */
const TRIES_MAX = 1000;

/**
 * Chooses ports for a cluster: the recorded ones, or else the usual ones, where they are free; otherwise the next free
 * ones above. Only the API server's is never moved once users have been told of it.
 * @param held kinds of daemons that run already and hold their ports themselves
 */
export async function choosePorts(
  flags: { readonly port?: number },
  recorded: Ports | undefined,
  hollowNodes: number,
  held: ReadonlySet<DaemonKind>,
): Promise<Ports> {
  const apiserver = flags.port ?? recorded?.apiserver ?? (await firstFree(usualPorts.apiserver));
  const chosen = new Set([apiserver]);
  const choose = async (name: Exclude<keyof Ports, 'apiserver'>, kind: DaemonKind, count = 1): Promise<number> => {
    const first = recorded?.[name] ?? usualPorts[name];
    if (recorded !== undefined && held.has(kind)) return first;
    for (let port = first; port < first + TRIES_MAX; port++) {
      const run = Array.from({ length: count }, (_, index) => port + index);
      if (run.some((one) => chosen.has(one))) continue;
      if (!(await Promise.all(run.map(isFree))).every((free) => free)) continue;
      for (const one of run) chosen.add(one);
      return port;
    }
    throw new Failure(`Cannot find a free port from ${first} to ${first + TRIES_MAX}`);
  };
  return {
    apiserver,
    storeClient: await choose('storeClient', 'store'),
    storePeer: await choose('storePeer', 'store'),
    storeMetrics: await choose('storeMetrics', 'store'),
    scheduler: await choose('scheduler', 'scheduler'),
    controllerManager: await choose('controllerManager', 'controller-manager'),
    dns: await choose('dns', 'dns'),
    dnsHealth: await choose('dnsHealth', 'dns'),
    hollowNodes: await choose('hollowNodes', 'kubelet', 2 * Math.max(1, hollowNodes)),
  };
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
