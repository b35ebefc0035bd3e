// exec and attach over a WebSocket with upstream's channel protocol: the first byte of a message names the stream.
// v4: 0 stdin, 1 stdout, 2 stderr, 3 error, 4 resize; v5 adds 255, which closes a stream.
import type { Status } from '@wherry/api';
import type { RawData, WebSocket } from 'ws';
import type { Session } from '../runtime/port.ts';

export const remoteCommandProtocols: readonly string[] = ['v5.channel.k8s.io', 'v4.channel.k8s.io'];

export interface RemoteStreams {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
}

const channel = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 } as const;
/** Bytes that may wait for a slow client before the process is held back. */
const bufferedBytesMax = 1 << 20;

export function streamsOf(query: URLSearchParams): RemoteStreams {
  const on = (...names: readonly string[]) =>
    names.some((name) => query.get(name) === '1' || query.get(name) === 'true');
  const tty = on('tty');
  return {
    stdin: on('input', 'stdin'),
    stdout: on('output', 'stdout'),
    // With a terminal there is only one output.
    stderr: on('error', 'stderr') && !tty,
    tty,
  };
}

export function send(socket: WebSocket, number: number, payload: Uint8Array): Promise<void> {
  const message = Buffer.allocUnsafe(payload.length + 1);
  message[0] = number;
  message.set(payload, 1);
  return new Promise((resolve) => {
    if (socket.readyState !== socket.OPEN) {
      resolve();
      return;
    }
    const held = socket.bufferedAmount > bufferedBytesMax;
    // The callback comes once the bytes are with the kernel; waiting for each message would cost a turn each.
    socket.send(message, { binary: true }, held ? () => resolve() : undefined);
    if (!held) resolve();
  });
}

export function bytesOf(data: RawData): Buffer {
  if (Array.isArray(data)) return Buffer.concat(data);
  return data instanceof ArrayBuffer ? Buffer.from(data) : data;
}

function exitStatus(exitCode: number): Status {
  if (exitCode === 0) return { metadata: {}, status: 'Success' };
  return {
    metadata: {},
    status: 'Failure',
    message: `command terminated with non-zero exit code: exit code ${exitCode}`,
    reason: 'NonZeroExitCode',
    details: { causes: [{ reason: 'ExitCode', message: String(exitCode) }] },
  };
}

function onResize(session: Session, payload: Buffer, onProblem: (error: unknown) => void): void {
  const size: unknown = JSON.parse(payload.toString('utf8'));
  if (typeof size !== 'object' || size === null || !('Width' in size) || !('Height' in size)) return;
  // A process that has ended meanwhile has no window to resize.
  session.resize(Number(size.Width), Number(size.Height)).catch(onProblem);
}

function receive(
  socket: WebSocket,
  session: Session,
  streams: RemoteStreams,
  onProblem: (error: unknown) => void,
): void {
  session.stdin.on('drain', () => socket.resume());
  session.stdin.on('error', onProblem);
  socket.on('message', (data: RawData) => {
    const message = bytesOf(data);
    const payload = message.subarray(1);
    switch (message[0]) {
      case channel.stdin:
        if (streams.stdin && !session.stdin.write(payload)) socket.pause();
        break;
      case channel.resize:
        if (streams.tty) onResize(session, payload, onProblem);
        break;
      case channel.close:
        if (payload[0] === channel.stdin) session.stdin.end();
        break;
      default:
        break;
    }
  });
  socket.on('close', () => {
    session.stdin.end();
    session.close();
  });
}

async function forward(
  socket: WebSocket,
  number: number,
  wanted: boolean,
  output: AsyncIterable<Buffer>,
): Promise<void> {
  for await (const chunk of output) if (wanted) await send(socket, number, chunk);
}

/** Carries a session until its process ends or the client leaves. `attached`: its exit code is not the command's. */
export async function serveSession(
  socket: WebSocket,
  session: Session,
  streams: RemoteStreams,
  attached: boolean,
  onProblem: (error: unknown) => void,
): Promise<void> {
  receive(socket, session, streams, onProblem);
  // An empty message tells the client that the connection stands, as upstream's server does.
  const first = streams.stdout ? channel.stdout : streams.stderr ? channel.stderr : channel.error;
  await send(socket, first, new Uint8Array());
  let status: Status;
  try {
    await Promise.all([
      forward(socket, channel.stdout, streams.stdout, session.stdout as AsyncIterable<Buffer>),
      forward(socket, channel.stderr, streams.stderr, session.stderr as AsyncIterable<Buffer>),
    ]);
    status = exitStatus(attached ? 0 : await session.exitCode());
  } catch (error) {
    if (socket.readyState !== socket.OPEN) return;
    const message = error instanceof Error ? error.message : String(error);
    status = { metadata: {}, status: 'Failure', message, reason: 'InternalError', code: 500 };
  }
  await send(socket, channel.error, Buffer.from(JSON.stringify(status)));
  socket.close(1000);
}
