import type { Status } from '@wherry/api';
import { WebSocket } from 'ws';
import { onRefused, openSocket } from './server-socket.ts';
import type { Session } from './session.ts';
import { VerbError } from './verb-error.ts';

export interface RemoteOptions {
  readonly stdin: boolean;
  readonly tty: boolean;
  readonly signal: AbortSignal;
}

/** Where a remote command's streams lead. */
export interface RemoteStreams {
  readonly stdin: NodeJS.ReadableStream | undefined;
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WritableStream;
}

/** First byte of each message of Kubernetes' channel protocols. */
const STDIN = 0;
const STDOUT = 1;
const STDERR = 2;
const ERROR = 3;
const RESIZE = 4;
const CLOSE = 255;
/** Only this version can say that standard input has ended. */
const V5 = 'v5.channel.k8s.io';
/** Unsent standard input at which reading it pauses. */
const BUFFERED_BYTES_MAX = 1024 * 1024;

/** Runs a command in a container with this process's own streams. @returns its exit code */
export async function runRemote(session: Session, path: string, options: RemoteOptions): Promise<number> {
  const isRaw = options.tty && options.stdin && process.stdin.isTTY === true;
  try {
    return await runWithStreams(
      session,
      path,
      {
        stdin: options.stdin ? process.stdin : undefined,
        stdout: process.stdout,
        stderr: process.stderr,
      },
      options.signal,
      (socket) => {
        if (isRaw) process.stdin.setRawMode(true);
        if (options.tty) followSize(socket);
      },
    );
  } finally {
    if (isRaw) process.stdin.setRawMode(false);
    process.stdin.destroy();
  }
}

/** Runs a command with the given streams. @returns its exit code */
export function runWithStreams(
  session: Session,
  path: string,
  streams: RemoteStreams,
  signal: AbortSignal,
  onOpen: (socket: WebSocket) => void = () => undefined,
): Promise<number> {
  const socket = openSocket(session, path, [V5, 'v4.channel.k8s.io']);
  return new Promise<number>((resolve, reject) => {
    let code: number | undefined;
    signal.addEventListener('abort', () => socket.close());
    onRefused(socket, reject);
    socket.on('open', () => {
      onOpen(socket);
      if (streams.stdin !== undefined) pumpInput(socket, streams.stdin);
    });
    socket.on('message', (data: Buffer) => {
      const payload = data.subarray(1);
      if (data[0] === STDOUT) pass(socket, payload, streams.stdout);
      else if (data[0] === STDERR) pass(socket, payload, streams.stderr);
      else if (data[0] === ERROR) code = exitCode(JSON.parse(payload.toString('utf8')) as Status, reject);
    });
    socket.on('close', () =>
      code === undefined ? reject(new VerbError('the connection was lost before the command ended')) : resolve(code),
    );
  }).finally(() => socket.terminate());
}

/** A reader that is slower than the network holds it up. */
function pass(socket: WebSocket, bytes: Buffer, stream: NodeJS.WritableStream): void {
  if (stream.write(bytes)) return;
  socket.pause();
  stream.once('drain', () => socket.resume());
}

function exitCode(status: Status, reject: (error: Error) => void): number | undefined {
  if (status.status === 'Success') return 0;
  const cause = status.details?.causes?.find(({ reason }) => reason === 'ExitCode');
  if (cause?.message !== undefined) return Number(cause.message);
  const reason = status.reason === undefined ? '' : ` (${status.reason})`;
  reject(new VerbError(`Error from server${reason}: ${status.message ?? 'the command failed'}`, { plain: true }));
  return undefined;
}

function pumpInput(socket: WebSocket, input: NodeJS.ReadableStream): void {
  input.on('data', (chunk: Buffer) => {
    if (socket.readyState !== WebSocket.OPEN) return;
    input.pause();
    socket.send(Buffer.concat([Buffer.of(STDIN), chunk]), () => {
      if (socket.bufferedAmount < BUFFERED_BYTES_MAX) input.resume();
    });
  });
  input.on('end', () => {
    if (socket.protocol === V5 && socket.readyState === WebSocket.OPEN) socket.send(Buffer.of(CLOSE, STDIN));
  });
}

function followSize(socket: WebSocket): void {
  const send = (): void => {
    const size = JSON.stringify({ Width: process.stdout.columns ?? 80, Height: process.stdout.rows ?? 24 });
    if (socket.readyState === WebSocket.OPEN) socket.send(Buffer.concat([Buffer.of(RESIZE), Buffer.from(size)]));
  };
  send();
  process.stdout.on('resize', send);
}
