import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { pipeline, Readable } from 'node:stream';
import type { Clock } from '@wherry/daemon';
import type { ApiRequest } from '../http/exchange.ts';
import { unreachable } from './kubelet-client.ts';
import type { ProxyTarget } from './proxy-target.ts';

const ANSWER_MS_MAX = 30_000;

/** Plain HTTP(S) requests to pods and services; their certificates mean nothing to us, as upstream. */
export class HttpProxy {
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  request(
    target: ProxyTarget,
    from: ApiRequest,
    path: string,
    headers: Record<string, readonly string[]>,
    signal: AbortSignal,
  ): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const options = {
        host: target.host,
        port: target.port,
        method: from.method,
        path,
        headers: { ...headers, host: `${target.host}:${target.port}` } as Record<string, string | string[]>,
        signal,
      };
      const outgoing = target.secure
        ? httpsRequest({ ...options, rejectUnauthorized: false }, resolve)
        : httpRequest(options, resolve);
      const patience = this.#clock.setTimer(ANSWER_MS_MAX, () =>
        outgoing.destroy(new Error(`no answer in ${ANSWER_MS_MAX} ms`)),
      );
      outgoing.once('close', () => patience.cancel());
      outgoing.once('response', () => patience.cancel());
      outgoing.on('error', (cause) => reject(unreachable(target, cause)));
      pipeline(Readable.from(from.bodyStream()), outgoing, (error) => {
        if (error != null) {
          reject(unreachable(target, error));
        }
      });
    });
  }
}
