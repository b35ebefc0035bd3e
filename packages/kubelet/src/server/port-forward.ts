// Port forwarding over a WebSocket (v4.channel.k8s.io): for the i-th port, channel 2i carries data and 2i + 1 errors,
// and both begin with the port number as two little-endian bytes.
import { spawn } from 'node:child_process';
import { connect } from 'node:net';
import { type Duplex, duplexPair } from 'node:stream';
import type { RawData, WebSocket } from 'ws';
import { bytesOf, send } from './command-channels.ts';
import { HttpError } from './http-error.ts';

export const portForwardChannelProtocols: readonly string[] = ['v4.channel.k8s.io', 'portforward.k8s.io'];

export interface ForwardTarget {
  readonly podIp: string;
  /** A process in the pod's network namespace; undefined where that is this process's own. */
  readonly pid: number | undefined;
}

const portsMax = 64;

export function portsOf(query: URLSearchParams): readonly number[] {
  const texts = [...query.getAll('port'), ...query.getAll('ports')].flatMap((text) => text.split(','));
  const ports = texts.map(Number);
  if (ports.length === 0) throw new HttpError(400, 'query parameter "port" is required');
  const bad = ports.findIndex((port) => !Number.isInteger(port) || port < 1 || port > 65_535);
  if (bad !== -1) throw new HttpError(400, `invalid port "${texts[bad]}"`);
  if (ports.length > portsMax) throw new HttpError(400, `too many ports: ${ports.length}, at most ${portsMax}`);
  return ports;
}

function dial(host: string, port: number): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, noDelay: true });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      resolve(socket);
    });
  });
}

/** Runs in the pod's namespace: joins its standard streams to a port of the pod's loopback. */
function relayProgram(port: number): string {
  return `
const socket = require('node:net').connect(${port}, '127.0.0.1');
socket.on('error', (error) => { process.stderr.write(error.message); process.exit(1); });
process.stdin.pipe(socket).pipe(process.stdout);
`;
}

/** Servers that listen on the pod's loopback only are reached from inside (a process for each connection). */
function dialInside(pid: number, port: number): Duplex {
  const child = spawn('nsenter', [`--net=/proc/${pid}/ns/net`, process.execPath, '-e', relayProgram(port)]);
  const [outer, inner] = duplexPair();
  child.stdout.pipe(inner);
  inner.pipe(child.stdin);
  const words: Buffer[] = [];
  child.stderr.on('data', (chunk: Buffer) => void words.push(chunk));
  child.stdin.on('error', () => undefined);
  child.on('close', (code) => {
    if (code === 0) outer.destroy();
    else outer.destroy(new Error(Buffer.concat(words).toString('utf8') || `the relay ended with ${code}`));
  });
  outer.on('close', () => child.kill());
  return outer;
}

/** A connection to a port of the pod. */
export async function dialPod(target: ForwardTarget, port: number): Promise<Duplex> {
  try {
    return await dial(target.podIp, port);
  } catch (error) {
    if (target.pid === undefined) throw error;
    return dialInside(target.pid, port);
  }
}

async function forwardOne(socket: WebSocket, index: number, port: number, opening: Promise<Duplex>): Promise<void> {
  const data = index * 2;
  try {
    const stream = await opening;
    for await (const chunk of stream as AsyncIterable<Buffer>) await send(socket, data, chunk);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    await send(socket, data + 1, Buffer.from(`error forwarding port ${port} to pod: ${message}`));
  }
}

/** Carries all ports until each connection has ended or the client leaves. */
export async function servePortForward(
  socket: WebSocket,
  ports: readonly number[],
  target: ForwardTarget,
): Promise<void> {
  const openings = ports.map((port) => dialPod(target, port));
  const streams = new Map<number, Promise<Duplex>>(openings.map((opening, index) => [index * 2, opening]));
  let order = Promise.resolve();
  socket.on('message', (data: RawData) => {
    const message = bytesOf(data);
    const stream = streams.get(message[0] ?? 255);
    if (stream === undefined) return;
    socket.pause();
    // One message at a time, in order, and no more than the connection takes.
    order = order.then(async () => {
      try {
        const open = await stream;
        if (!open.destroyed) await new Promise<void>((resolve) => open.write(message.subarray(1), () => resolve()));
      } catch {
        // Told to the client on the error channel already.
      } finally {
        socket.resume();
      }
    });
  });
  socket.on('close', () => {
    for (const opening of openings)
      opening.then(
        (stream) => stream.destroy(),
        () => undefined,
      );
  });
  for (const [index, port] of ports.entries()) {
    const header = Buffer.from([port & 0xff, port >> 8]);
    await send(socket, index * 2, header);
    await send(socket, index * 2 + 1, header);
  }
  await Promise.all(
    ports.map((port, index) => forwardOne(socket, index, port, openings[index] ?? dialPod(target, port))),
  );
  socket.close(1000);
}
