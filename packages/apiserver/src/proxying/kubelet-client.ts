import type { IncomingMessage } from 'node:http';
import { Agent, request as httpsRequest, type RequestOptions } from 'node:https';
import { type Node, serviceUnavailable } from '@wherry/api';
import type { Clock } from '@wherry/daemon';

export interface KubeletClientOptions {
  /** PEM texts. */
  readonly certificate: string;
  readonly key: string;
  /** Undefined: the kubelets' certificates are not checked (they may be self-signed, as upstream's default). */
  readonly authority: string | undefined;
  readonly clock: Clock;
  /** In order of preference. */
  readonly addressTypes: readonly string[];
}

/** Where a node's kubelet listens. */
export interface KubeletAddress {
  readonly host: string;
  readonly port: number;
}

/** Until the head of the answer. */
const ANSWER_MS_MAX = 30_000;
const KUBELET_PORT = 10_250;

/** Connections to kubelets, with the API server's client certificate. */
export class KubeletClient {
  readonly #options: KubeletClientOptions;
  readonly #agent: Agent;

  constructor(options: KubeletClientOptions) {
    this.#options = options;
    this.#agent = new Agent({ keepAlive: true, ...this.tls() });
  }

  /** @throws StatusError ServiceUnavailable when the node tells no address */
  addressOf(node: Node): KubeletAddress {
    const port = node.status?.daemonEndpoints?.kubeletEndpoint?.Port ?? KUBELET_PORT;
    for (const type of this.#options.addressTypes) {
      const found = node.status?.addresses?.find((address) => address.type === type);
      if (found !== undefined) {
        return { host: found.address, port };
      }
    }
    throw serviceUnavailable(
      `node ${node.metadata?.name ?? ''} has no address of the types ${this.#options.addressTypes.join(', ')}`,
    );
  }

  tls() {
    const { certificate, key, authority } = this.#options;
    return {
      cert: certificate,
      key,
      ...(authority === undefined ? { rejectUnauthorized: false } : { ca: authority }),
    };
  }

  /** Sends a request and resolves with its response, whatever its status. */
  request(
    address: KubeletAddress,
    method: string,
    path: string,
    headers: Record<string, string | readonly string[]>,
    body: AsyncIterable<Uint8Array> | undefined,
    signal: AbortSignal,
  ): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const options: RequestOptions = {
        agent: this.#agent,
        host: address.host,
        port: address.port,
        method,
        path,
        headers: headers as Record<string, string | string[]>,
        signal,
      };
      const outgoing = httpsRequest(options, (response) => {
        patience.cancel();
        resolve(response);
      });
      const patience = this.#options.clock.setTimer(ANSWER_MS_MAX, () =>
        outgoing.destroy(new Error(`no answer from ${address.host}:${address.port} in ${ANSWER_MS_MAX} ms`)),
      );
      outgoing.on('error', (cause) => {
        patience.cancel();
        reject(unreachable(address, cause));
      });
      void pump(body, outgoing);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

interface Outgoing {
  write(chunk: Uint8Array): boolean;
  end(): void;
  destroy(error: Error): void;
  once(event: 'drain' | 'close', listener: () => void): unknown;
}

async function pump(body: AsyncIterable<Uint8Array> | undefined, outgoing: Outgoing): Promise<void> {
  try {
    for await (const chunk of body ?? []) {
      if (!outgoing.write(chunk)) {
        await new Promise<void>((resolve) => {
          outgoing.once('drain', resolve);
          outgoing.once('close', resolve);
        });
      }
    }
    outgoing.end();
  } catch (error) {
    outgoing.destroy(error as Error);
  }
}

export function unreachable({ host, port }: KubeletAddress, cause: unknown): Error {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return serviceUnavailable(`error dialing backend ${host}:${port}: ${reason}`, { cause });
}
