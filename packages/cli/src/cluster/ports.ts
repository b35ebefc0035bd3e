import { createServer } from 'node:net';
import { Failure } from '../failure.ts';
import { type Ports, usualPorts } from './config.ts';

/** How far a port may be from its usual one. */
const TRIES_MAX = 1000;

/**
 * Chooses ports for a new cluster: the usual ones where they are free, otherwise the next free ones above.
 * @param wanted the API server's port when the user asked for one
 * @throws Failure when the wanted one is in use
 */
export async function choosePorts(wanted: number | undefined, hollowNodes: number): Promise<Ports> {
  const chosen = new Set<number>();
  const choose = async (usual: number, count = 1): Promise<number> => {
    for (let port = usual; port < usual + TRIES_MAX; port++) {
      const run = Array.from({ length: count }, (_, index) => port + index);
      if (run.some((one) => chosen.has(one))) continue;
      if (!(await Promise.all(run.map(isFree))).every((free) => free)) continue;
      for (const one of run) chosen.add(one);
      return port;
    }
    throw new Failure(`Cannot find a free port from ${usual} to ${usual + TRIES_MAX}`);
  };
  if (wanted !== undefined) {
    if (!(await isFree(wanted))) throw portInUse(wanted);
    chosen.add(wanted);
  }
  return {
    apiserver: wanted ?? (await choose(usualPorts.apiserver)),
    storeClient: await choose(usualPorts.storeClient),
    storePeer: await choose(usualPorts.storePeer),
    storeMetrics: await choose(usualPorts.storeMetrics),
    scheduler: await choose(usualPorts.scheduler),
    controllerManager: await choose(usualPorts.controllerManager),
    dns: await choose(usualPorts.dns),
    dnsHealth: await choose(usualPorts.dnsHealth),
    hollowNodes: await choose(usualPorts.hollowNodes, 2 * Math.max(1, hollowNodes)),
  };
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
