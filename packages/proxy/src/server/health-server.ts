import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ProxyHealth {
  /** Changes are in force or young; a proxy whose rules lag behind must not attract load balancers. */
  readonly healthy: boolean;
  /** False while the node is being removed. */
  readonly nodeEligible: boolean;
  readonly lastUpdated: string | undefined;
  readonly currentTime: string;
}

/**
 * Upstream's two probes: `/healthz` (for load balancers: also unhealthy when the node is going away) and `/livez`
 * (the process alone), both with a JSON body.
 */
export async function startHealthServer(
  host: string,
  port: number,
  look: () => ProxyHealth,
): Promise<{ readonly address: AddressInfo; close(): Promise<void> }> {
  const server: Server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://proxy').pathname;
    if (path !== '/healthz' && path !== '/livez') {
      response.writeHead(404);
      response.end('404 page not found\n');
      return;
    }
    const { healthy, nodeEligible, lastUpdated, currentTime } = look();
    const well = healthy && (path === '/livez' || nodeEligible);
    response.writeHead(well ? 200 : 503, {
      'content-type': 'application/json',
      'x-content-type-options': 'nosniff',
    });
    response.end(JSON.stringify({ lastUpdated, currentTime, ...(path === '/healthz' ? { nodeEligible } : {}) }));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => reject(new Error(`Cannot listen on ${host}:${port}: ${cause.message}`, { cause })));
    server.listen(port, host, resolve);
  });
  return {
    address: server.address() as AddressInfo,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
