import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Health } from './health.ts';
import type { Metrics } from './metrics.ts';

export interface OpsServerOptions {
  readonly host: string;
  /** 0 lets the system choose; see `OpsServer.address`. */
  readonly port: number;
  readonly health: Health;
  readonly metrics: Metrics;
  /** PEM texts; plain HTTP without. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Answers other paths; 404 without. */
  readonly extra?: RequestListener;
}

export interface OpsServer {
  readonly address: AddressInfo;
  close(): Promise<void>;
}

/** Serves `/healthz`, `/livez`, `/readyz` and `/metrics` of a daemon. */
export async function startOpsServer(options: OpsServerOptions): Promise<OpsServer> {
  const listener: RequestListener = (request, response) => {
    answer(options, request, response).catch((error: unknown) => {
      if (!response.headersSent) response.writeHead(500);
      response.end(error instanceof Error ? error.message : String(error));
    });
  };
  const server: Server = options.tls ? createTlsServer(options.tls, listener) : createServer(listener);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) =>
      reject(new Error(`Cannot listen on ${options.host}:${options.port}: ${cause.message}`, { cause })),
    );
    server.listen(options.port, options.host, resolve);
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

async function answer(options: OpsServerOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://daemon');
  if (url.pathname === '/metrics') {
    response.setHeader('content-type', options.metrics.registry.contentType);
    response.end(await options.metrics.registry.metrics());
    return;
  }
  const health = await options.health.answer(url.pathname, url.searchParams.has('verbose'));
  if (health !== undefined) {
    response.writeHead(health.status, {
      'content-type': 'text/plain; charset=utf-8',
      'x-content-type-options': 'nosniff',
    });
    response.end(health.body);
  } else if (options.extra !== undefined) {
    options.extra(request, response);
  } else {
    response.writeHead(404);
    response.end('404 page not found\n');
  }
}
