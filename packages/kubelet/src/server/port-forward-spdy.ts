// Port forwarding over SPDY/3.1, as kubectl does it: each connection to a port is a pair of streams, "error" and "data",
// that carry the same request id.
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Clock } from '@wherry/daemon';
import { dialPod, type ForwardTarget } from './port-forward.ts';
import { SpdyConnection, type SpdyStream } from './spdy/connection.ts';

export const portForwardProtocol = 'portforward.k8s.io';
/** The same, inside a WebSocket: kubectl's first choice since 1.30. */
export const tunnelledPortForwardProtocol = `SPDY/3.1+${portForwardProtocol}`;

/** For the second stream of a pair to come. */
const PAIR_MS_MAX = 30_000;

export interface ForwardOptions {
  readonly target: ForwardTarget;
  /** For messages: name and uid. */
  readonly pod: { readonly name: string; readonly uid: string };
  readonly clock: Clock;
  readonly onProblem: (error: unknown) => void;
}

interface Pair {
  readonly error?: SpdyStream;
  readonly data?: SpdyStream;
}

type StreamType = keyof Pair;

/** @throws Error when the stream is none of a forwarded connection */
function describe(stream: SpdyStream): {
  readonly type: StreamType;
  readonly requestId: string;
  readonly port: number;
} {
  const text = stream.headers.get('port') ?? '';
  const port = Number(text);
  if (!/^\d+$/.test(text) || port < 1 || port > 65_535) throw new Error(`unable to parse "${text}" as a port`);
  const type = stream.headers.get('streamtype');
  if (type !== 'error' && type !== 'data') throw new Error(`invalid stream type "${type ?? ''}"`);
  // Old clients send no request id; their data stream is the one after the error stream, and ids are odd.
  const requestId = stream.headers.get('requestid') ?? String(type === 'error' ? stream.id : stream.id - 2);
  return { type, requestId, port };
}

/** Serves until the client leaves. */
export async function servePortForwardSpdy(transport: Duplex, options: ForwardOptions): Promise<void> {
  const pairs = new Map<string, Pair>();
  const connection = new SpdyConnection(transport, (stream) => {
    const { type, requestId, port } = describe(stream);
    const known = pairs.get(requestId);
    if (known?.[type] !== undefined) throw new Error(`${type} stream already assigned`);
    const pair: Pair = { ...known, [type]: stream };
    if (pair.error !== undefined && pair.data !== undefined) {
      pairs.delete(requestId);
      forward(pair.data, pair.error, port, options).catch(options.onProblem);
      return;
    }
    pairs.set(requestId, pair);
    const patience = options.clock.setTimer(PAIR_MS_MAX, () => {
      if (pairs.get(requestId) !== pair) return;
      pairs.delete(requestId);
      stream.destroy();
    });
    stream.once('close', () => {
      patience.cancel();
      if (pairs.get(requestId) === pair) pairs.delete(requestId);
    });
  });
  await connection.run();
}

async function forward(data: SpdyStream, errors: SpdyStream, port: number, options: ForwardOptions): Promise<void> {
  const { target, pod, onProblem } = options;
  errors.resume();
  try {
    const socket = await dialPod(target, port);
    await Promise.all([pipeline(data, socket), pipeline(socket, data)]);
    errors.end();
  } catch (error) {
    data.end();
    // A connection that either side cut is over, and the next one is welcome; only what never stood is told: clients
    // give up the whole command on a message here.
    if (isCut(error)) errors.end();
    else errors.end(`error forwarding port ${port} to pod ${pod.name}, uid ${pod.uid}: ${messageOf(error)}`);
    onProblem(error);
  }
}

const cutCodes: readonly unknown[] = ['ECONNRESET', 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE'];

function isCut(error: unknown): boolean {
  return error instanceof Error && (error.name === 'SpdyError' || ('code' in error && cutCodes.includes(error.code)));
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
