import type { IncomingMessage } from 'node:http';
import { badRequest, internalError, notFound, type Pod, resources } from '@wherry/api';
import type { Clock, Logger } from '@wherry/daemon';
import type { ApiRequest, ApiResponse, Headers } from '../http/exchange.ts';
import type { ResourceRequest } from '../registry/context.ts';
import { notAllowed } from '../registry/dispatch.ts';
import { HttpProxy } from './http-proxy.ts';
import type { KubeletAddress, KubeletClient } from './kubelet-client.ts';
import { execPath, logPath, portForwardPath } from './pod-streams.ts';
import { proxyTarget } from './proxy-target.ts';
import { upgradeTo } from './upgrade.ts';

/** Requests that end at a node: logs, exec, attach, port-forward and the HTTP proxies. */
export class NodeConnections {
  readonly #kubelets: KubeletClient | undefined;
  readonly #proxy: HttpProxy;
  readonly #clock: Clock;
  readonly #logger: Logger;

  /** @param kubelets undefined: this server has no certificate for kubelets, and says so when asked */
  constructor(kubelets: KubeletClient | undefined, clock: Clock, logger: Logger) {
    this.#clock = clock;
    this.#kubelets = kubelets;
    this.#proxy = new HttpProxy(clock);
    this.#logger = logger;
  }

  connect(from: ResourceRequest): Promise<ApiResponse> {
    switch (from.info.subresource) {
      case 'log':
        return this.#log(from);
      case 'exec':
      case 'attach':
      case 'portforward':
        return this.#stream(from, from.info.subresource);
      default:
        return this.#proxied(from);
    }
  }

  async #log(from: ResourceRequest): Promise<ApiResponse> {
    if (from.info.verb !== 'get') {
      throw notAllowed();
    }
    const pod = await this.#pod(from);
    const path = logPath(pod, from.query);
    if ((pod.spec?.nodeName ?? '') === '') {
      return { kind: 'bytes', status: 200, headers: { 'content-type': 'text/plain' }, body: Buffer.alloc(0) };
    }
    const address = await this.#addressOf(from, pod.spec?.nodeName ?? '');
    const response = await this.#client().request(address, 'GET', path, {}, undefined, from.signal);
    if ((response.statusCode ?? 500) >= 400) {
      throw await refused(response, pod);
    }
    return passed(response, { 'content-type': 'text/plain' });
  }

  async #stream(from: ResourceRequest, kind: 'exec' | 'attach' | 'portforward'): Promise<ApiResponse> {
    if (from.request.header('upgrade') === undefined) {
      throw badRequest('Upgrade request required');
    }
    const pod = await this.#pod(from);
    const path = kind === 'portforward' ? portForwardPath(pod, from.query) : execPath(kind, pod, from.query);
    const nodeName = pod.spec?.nodeName ?? '';
    if (nodeName === '') {
      throw badRequest(`pod ${from.info.name} does not have a host assigned`);
    }
    const address = await this.#addressOf(from, nodeName);
    const target = { ...address, path, tls: this.#client().tls() };
    return upgradeTo(from.request, target, this.#clock, (error) => this.#failed(error, from));
  }

  async #proxied(from: ResourceRequest): Promise<ApiResponse> {
    const { info } = from;
    if (info.resource === 'nodes') {
      const address = await this.#addressOf(from, info.name);
      const path = `/${info.rest}${from.request.query === '' ? '' : `?${from.request.query}`}`;
      if (from.request.header('upgrade') !== undefined) {
        return upgradeTo(from.request, { ...address, path, tls: this.#client().tls() }, this.#clock, (error) =>
          this.#failed(error, from),
        );
      }
      const headers = forwardedHeaders(from.request);
      const body = from.request.bodyStream();
      const response = await this.#client().request(address, from.request.method, path, headers, body, from.signal);
      return passed(response, {});
    }
    const target = await proxyTarget(from);
    const path = `/${info.rest}${from.request.query === '' ? '' : `?${from.request.query}`}`;
    if (from.request.header('upgrade') !== undefined) {
      const tls = target.secure ? { rejectUnauthorized: false } : undefined;
      return upgradeTo(from.request, { host: target.host, port: target.port, path, tls }, this.#clock, (error) =>
        this.#failed(error, from),
      );
    }
    const response = await this.#proxy.request(target, from.request, path, forwardedHeaders(from.request), from.signal);
    return passed(response, {});
  }

  #client(): KubeletClient {
    if (this.#kubelets === undefined) {
      throw internalError('this API server has no client certificate for kubelets (--kubelet-client-certificate)');
    }
    return this.#kubelets;
  }

  #failed(error: unknown, from: ResourceRequest): void {
    this.#logger.warn({ err: error, path: from.info.path }, 'connection to a node or pod failed');
  }

  async #pod(from: ResourceRequest): Promise<Pod> {
    const { info, registry } = from;
    const pod = await registry.reader.readFresh(resources.pods, info.namespace, info.name);
    if (pod === undefined) {
      throw notFound(resources.pods, info.name);
    }
    return pod;
  }

  async #addressOf(from: ResourceRequest, nodeName: string): Promise<KubeletAddress> {
    const node = await from.registry.reader.readFresh(resources.nodes, '', nodeName);
    if (node === undefined) {
      throw notFound(resources.nodes, nodeName);
    }
    return this.#client().addressOf(node);
  }
}

const hopHeaders = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'te',
  'trailer',
  'upgrade',
  'proxy-authenticate',
]);
const callerHeaders = new Set(['authorization', 'host', 'proxy-authorization']);

function forwardedHeaders(request: ApiRequest): Record<string, readonly string[]> {
  const headers: Record<string, readonly string[]> = {};
  for (const name of request.headerNames()) {
    if (
      !hopHeaders.has(name) &&
      !callerHeaders.has(name) &&
      !name.startsWith(':') &&
      !name.startsWith('impersonate-')
    ) {
      headers[name] = request.headers(name);
    }
  }
  return headers;
}

function passed(response: IncomingMessage, defaults: Headers): ApiResponse {
  const headers: Headers = { ...defaults };
  for (const [name, value] of Object.entries(response.headers)) {
    if (value !== undefined && !hopHeaders.has(name)) {
      headers[name] = value;
    }
  }
  return { kind: 'chunks', status: response.statusCode ?? 502, headers, chunks: response, compressible: false };
}

/** A kubelet's refusal is plain text; clients expect a Status. */
async function refused(response: IncomingMessage, pod: Pod): Promise<Error> {
  let text = '';
  for await (const chunk of response) {
    text += String(chunk);
    if (text.length > 4_096) {
      break;
    }
  }
  const message = text.trim() || `the kubelet of pod ${pod.metadata?.name ?? ''} answered ${response.statusCode ?? 0}`;
  return response.statusCode === 404 ? notFound(resources.pods, pod.metadata?.name ?? '') : badRequest(message);
}
