// The kubelet's own port, :10250: what the API server asks nodes for. TLS with client certificates only.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { Duplex } from 'node:stream';
import type { Pod } from '@wherry/api';
import type { Clock, Health, Logger, Metrics } from '@wherry/daemon';
import { createWebSocketStream, type WebSocket, WebSocketServer } from 'ws';
import { readySandbox } from '../plan/runtime-state.ts';
import { type Runtime, RuntimeError, type Session } from '../runtime/port.ts';
import { authorize } from './authorize.ts';
import { channelClient } from './command-channels.ts';
import { serveCommandSpdy } from './command-spdy.ts';
import { serveLogs } from './container-logs.ts';
import { HttpError } from './http-error.ts';
import { negotiate, protocolsOf } from './negotiate.ts';
import { findContainer, findPod, type PodDirectory, runningContainer } from './pod-lookup.ts';
import { type ForwardTarget, portsOf, servePortForward } from './port-forward.ts';
import { type ForwardOptions, servePortForwardSpdy, tunnelledPortForwardProtocol } from './port-forward-spdy.ts';
import { type CommandClient, serveSession, streamsOf } from './remote-command.ts';
import { statsSummary } from './stats.ts';

/** A node that requests can be about. */
export interface ServedNode {
  readonly nodeName: string;
  readonly directory: PodDirectory;
  readonly runtime: Runtime;
  /** Nobody listens at the addresses of its pods. */
  readonly isHollow: boolean;
}

export interface KubeletServerOptions {
  readonly address: string;
  readonly port: number;
  readonly tls: { readonly cert: string; readonly key: string; readonly clientCa: string };
  /** The node that has this address; undefined if none does. */
  readonly servedAt: (localAddress: string) => ServedNode | undefined;
  readonly health: Health;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A message of a client; kubectl sends at most 32 KiB. */
const messageBytesMax = 1 << 20;

const webSocketProtocols = [...protocolsOf('exec', 'websocket'), ...protocolsOf('portForward', 'websocket')];

export class KubeletServer {
  readonly #options: KubeletServerOptions;
  readonly #server: Server;
  readonly #sockets = new WebSocketServer({
    noServer: true,
    maxPayload: messageBytesMax,
    handleProtocols: (offered) => webSocketProtocols.find((name) => offered.has(name)) ?? false,
  });
  /** ws takes no protocol with a slash in its name, so this server is told of none, and names it itself. */
  readonly #tunnels = new WebSocketServer({ noServer: true, maxPayload: messageBytesMax });
  /** Speaking SPDY. */
  readonly #upgraded = new Set<Duplex>();

  constructor(options: KubeletServerOptions) {
    this.#options = options;
    const { cert, key, clientCa } = options.tls;
    this.#server = createServer(
      { cert, key, ca: clientCa, requestCert: true, rejectUnauthorized: false },
      (request, response) => {
        this.#answer(request, response).catch((error: unknown) => this.#fail(response, error));
      },
    );
    this.#tunnels.on('headers', (headers) => {
      headers.push(`Sec-WebSocket-Protocol: ${tunnelledPortForwardProtocol}`);
    });
    this.#server.on('upgrade', (request, socket, head) => {
      this.#upgrade(request, socket, head).catch((error: unknown) => this.#refuse(socket, error));
    });
  }

  listen(): Promise<void> {
    const { address, port } = this.#options;
    return new Promise((resolve, reject) => {
      this.#server.once('error', (cause) =>
        reject(new Error(`Cannot listen on ${address}:${port}: ${cause.message}`, { cause })),
      );
      this.#server.listen(port, address, resolve);
    });
  }

  /** Serves with another certificate from the next connection on. */
  useCertificate({ cert, key }: { readonly cert: string; readonly key: string }): void {
    this.#server.setSecureContext({ cert, key, ca: this.#options.tls.clientCa });
  }

  close(): Promise<void> {
    for (const socket of [...this.#sockets.clients, ...this.#tunnels.clients]) socket.terminate();
    for (const socket of this.#upgraded) socket.destroy();
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  #fail(response: ServerResponse, error: unknown): void {
    const status = statusOf(error);
    if (status === 500) this.#options.logger.error({ err: error }, 'a request failed');
    if (response.headersSent) {
      response.destroy();
      return;
    }
    response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' });
    response.end(messageOf(error));
  }

  /** Refused before the upgrade: the client sees an ordinary HTTP answer. */
  #refuse(socket: Duplex, error: unknown): void {
    const status = statusOf(error);
    if (status === 500) this.#options.logger.error({ err: error }, 'an upgrade failed');
    const body = messageOf(error);
    const length = Buffer.byteLength(body);
    socket.end(
      `HTTP/1.1 ${status} ${status}\r\nContent-Type: text/plain\r\nContent-Length: ${length}\r\nConnection: close\r\n\r\n${body}`,
    );
  }

  #servedBy(request: IncomingMessage): ServedNode {
    const address = request.socket.localAddress ?? '';
    const node = this.#options.servedAt(address);
    if (node === undefined) throw new HttpError(404, `no node has the address ${address}`);
    return node;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const verdict = authorize(request);
    if (verdict.kind === 'refused') throw new HttpError(verdict.status, verdict.message);
    const { health, metrics, clock } = this.#options;
    const { directory, runtime, nodeName } = this.#servedBy(request);
    const url = new URL(request.url ?? '/', 'https://kubelet');
    const [kind = '', ...names] = url.pathname.split('/').slice(1).map(decodeURIComponent);
    if (kind === 'containerLogs') {
      const [namespace = '', pod = '', container = ''] = names;
      await serveLogs(
        { namespace, pod, container, query: url.searchParams, nowMs: clock.now() },
        directory,
        runtime,
        response,
      );
      return;
    }
    if (kind === 'metrics' && names.length === 0) {
      response.setHeader('content-type', metrics.registry.contentType);
      response.end(await metrics.registry.metrics());
      return;
    }
    if (kind === 'pods') {
      json(response, { kind: 'PodList', apiVersion: 'v1', metadata: {}, items: directory.list() });
      return;
    }
    if (kind === 'stats' && names[0] === 'summary') {
      const pods = directory.list().map((pod) => ({ pod, runtime: directory.runtimePod(pod.metadata?.uid ?? '') }));
      json(response, await statsSummary(nodeName, pods, runtime, clock.now()));
      return;
    }
    if (kind === 'exec' || kind === 'attach' || kind === 'portForward') {
      throw new HttpError(400, `you must specify at least one supported protocol: ${kind} needs a WebSocket upgrade`);
    }
    const answer = await health.answer(url.pathname, url.searchParams.has('verbose'));
    if (answer === undefined) throw new HttpError(404, '404 page not found');
    response.writeHead(answer.status, { 'content-type': 'text/plain; charset=utf-8' });
    response.end(answer.body);
  }

  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    socket.on('error', (error) => this.#options.logger.debug({ err: error }, 'a client left'));
    const verdict = authorize(request);
    if (verdict.kind === 'refused') throw new HttpError(verdict.status, verdict.message);
    const url = new URL(request.url ?? '/', 'https://kubelet');
    const [kind = '', namespace = '', podName = '', ...rest] = url.pathname.split('/').slice(1).map(decodeURIComponent);
    if (kind !== 'exec' && kind !== 'attach' && kind !== 'portForward') throw new HttpError(404, '404 page not found');
    const { upgrade, protocol } = negotiate(request, kind);
    if (kind === 'portForward') {
      const options = this.#forwardOptions(this.#servedBy(request), namespace, podName);
      if (upgrade === 'spdy') {
        this.#acceptSpdy(socket, head, protocol, (transport) => servePortForwardSpdy(transport, options));
      } else if (protocol === tunnelledPortForwardProtocol) {
        delete request.headers['sec-websocket-protocol'];
        this.#accept(this.#tunnels, request, socket, head, (client) =>
          servePortForwardSpdy(createWebSocketStream(client), options),
        );
      } else {
        const ports = portsOf(url.searchParams);
        this.#accept(this.#sockets, request, socket, head, (client) => servePortForward(client, ports, options.target));
      }
      return;
    }
    const streams = streamsOf(url.searchParams);
    // A uid may stand between the pod's name and the container's.
    const served = this.#servedBy(request);
    const session = await openSession(served, kind, namespace, podName, rest.at(-1) ?? '', url.searchParams);
    const serve = (client: CommandClient) =>
      serveSession(client, session, streams, kind === 'attach', (error) =>
        this.#options.logger.debug({ err: error }, 'an interactive session had a problem'),
      );
    if (upgrade === 'spdy') {
      this.#acceptSpdy(socket, head, protocol, (transport) =>
        serveCommandSpdy(transport, streams, this.#options.clock, serve),
      );
    } else {
      this.#accept(this.#sockets, request, socket, head, async (client) => serve(await channelClient(client, streams)));
    }
  }

  #forwardOptions(served: ServedNode, namespace: string, podName: string): ForwardOptions {
    const pod = findPod(served.directory, namespace, podName);
    return {
      target: forwardTarget(served, pod),
      pod: { name: podName, uid: pod.metadata?.uid ?? '' },
      clock: this.#options.clock,
      onProblem: (error) => this.#options.logger.debug({ err: error }, 'a forwarded connection had a problem'),
    };
  }

  #acceptSpdy(socket: Duplex, head: Buffer, protocol: string, serve: (transport: Duplex) => Promise<void>): void {
    socket.unshift(head);
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: ${protocol}\r\n\r\n`,
    );
    this.#upgraded.add(socket);
    socket.once('close', () => this.#upgraded.delete(socket));
    serve(socket).catch((error: unknown) => {
      this.#options.logger.debug({ err: error }, 'a SPDY connection broke');
      socket.destroy();
    });
  }

  #accept(
    server: WebSocketServer,
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    serve: (client: WebSocket) => Promise<void>,
  ): void {
    server.handleUpgrade(request, socket, head, (client) => {
      client.on('error', (error) => this.#options.logger.debug({ err: error }, 'a client broke its connection'));
      serve(client).catch((error: unknown) => {
        this.#options.logger.error({ err: error }, 'a stream failed');
        client.close(1011);
      });
    });
  }
}

function json(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(JSON.stringify(value));
}

function statusOf(error: unknown): number {
  if (error instanceof HttpError) return error.status;
  if (!(error instanceof RuntimeError)) return 500;
  return error.failure === 'not-found' ? 404 : error.failure === 'refused' ? 400 : 500;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

async function openSession(
  { directory, runtime }: ServedNode,
  kind: 'exec' | 'attach',
  namespace: string,
  podName: string,
  name: string,
  query: URLSearchParams,
): Promise<Session> {
  const found = findContainer(directory, namespace, podName, name);
  const { id } = runningContainer(found);
  const { tty, stdin } = streamsOf(query);
  if (kind === 'attach') return runtime.attach(id, { tty: found.spec.tty === true, stdin });
  const command = query.getAll('command');
  if (command.length === 0) throw new HttpError(400, 'query parameter "command" is required');
  return runtime.openExec(id, { command, tty, stdin });
}

function forwardTarget({ directory, isHollow }: ServedNode, pod: Pod): ForwardTarget {
  const found = directory.runtimePod(pod.metadata?.uid ?? '');
  const sandbox = found === undefined ? undefined : readySandbox(found);
  if (sandbox === undefined)
    throw new HttpError(
      400,
      `unable to forward port because pod is not running. Current status=${pod.status?.phase ?? 'Unknown'}`,
    );
  if (isHollow)
    throw new HttpError(
      400,
      `unable to forward port because pod "${pod.metadata?.name}" is simulated (its node is hollow)`,
    );
  if (pod.spec?.hostNetwork === true) return { podIp: '127.0.0.1', pid: undefined };
  return { podIp: sandbox.ip ?? '127.0.0.1', pid: sandbox.pid };
}
