import { Agent, request } from 'node:https';
import type { Socket } from 'node:net';
import type { Address } from '../config/address.ts';

/** Of an answer's text, for the reason in logs. */
const BODY_CHARS_MAX = 2048;
/** One for each path: a slow readiness check must not hold up the question for life. */
const CONNECTIONS_MAX = 2;

export type Answer =
  | { readonly kind: 'answered'; readonly status: number; readonly body: string }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string };

/** Asks one backend. Never rejects. */
export interface Asker {
  /** An aborted question ends as failed. */
  ask(path: string, signal: AbortSignal): Promise<Answer>;
  close(): void;
}

export interface HttpsAskerOptions {
  readonly address: Address;
  /** PEM text of the authorities that are trusted. */
  readonly authority: string;
  readonly serverName: string | undefined;
  /** A kept connection was closed by the backend: news that it may have died, long before the next check. */
  readonly onLost: () => void;
}

/** Keeps its connections: a handshake four times a second would cost both sides more than the rest of the check. */
export class HttpsAsker implements Asker {
  readonly #options: HttpsAskerOptions;
  readonly #agent: Agent;
  readonly #known = new WeakSet<Socket>();
  /** Their end is no news: it was announced, or the answer told of it. */
  readonly #dropped = new WeakSet<Socket>();
  #closed = false;

  constructor(options: HttpsAskerOptions) {
    this.#options = options;
    this.#agent = new Agent({
      keepAlive: true,
      maxSockets: CONNECTIONS_MAX,
      maxFreeSockets: CONNECTIONS_MAX,
      // A resumed session would skip the check of the certificate.
      maxCachedSessions: 0,
      ca: options.authority,
      ...(options.serverName === undefined ? {} : { servername: options.serverName }),
    });
  }

  async ask(path: string, signal: AbortSignal): Promise<Answer> {
    // Each failure takes a kept connection away, so this ends with a fresh one.
    for (;;) {
      const { answer, reused } = await this.#askOnce(path, signal);
      const wasStale = reused && answer.kind === 'failed' && !signal.aborted;
      if (!wasStale) return answer;
    }
  }

  close(): void {
    this.#closed = true;
    this.#agent.destroy();
  }

  #askOnce(path: string, signal: AbortSignal): Promise<{ readonly answer: Answer; readonly reused: boolean }> {
    return new Promise((resolve) => {
      const { host, port } = this.#options.address;
      const asked = request({ agent: this.#agent, host, port, path, headers: { 'user-agent': 'wherry-balancer' } });
      const drop = () => {
        if (asked.socket !== null) this.#dropped.add(asked.socket);
        asked.destroy(new Error('no longer waited for'));
      };
      const finish = (answer: Answer) => {
        signal.removeEventListener('abort', drop);
        resolve({ answer, reused: asked.reusedSocket });
      };
      const fail = (error: Error & { readonly code?: string }) => {
        if (asked.socket !== null) this.#dropped.add(asked.socket);
        finish({ kind: 'failed', code: error.code ?? '', message: error.message });
      };
      asked.on('socket', (socket) => this.#follow(socket));
      asked.on('error', fail);
      asked.on('response', (response) => {
        if (response.headers.connection?.toLowerCase() === 'close') this.#dropped.add(response.socket);
        let body = '';
        response.setEncoding('utf8');
        response.on('data', (text: string) => {
          if (body.length < BODY_CHARS_MAX) body += text.slice(0, BODY_CHARS_MAX - body.length);
        });
        response.on('error', fail);
        response.on('end', () => finish({ kind: 'answered', status: response.statusCode ?? 0, body }));
      });
      if (signal.aborted) drop();
      else signal.addEventListener('abort', drop, { once: true });
      asked.end();
    });
  }

  #follow(socket: Socket): void {
    if (this.#known.has(socket)) return;
    this.#known.add(socket);
    let established = false;
    socket.once('secureConnect', () => {
      established = true;
    });
    socket.once('close', () => {
      if (established && !this.#closed && !this.#dropped.has(socket)) this.#options.onLost();
    });
  }
}
