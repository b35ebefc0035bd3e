import type { Status } from '@wherry/api';
import type { ServerConnection } from '@wherry/client';
import { WebSocket } from 'ws';
import { VerbError } from './verb-error.ts';

export interface RemoteOptions {
  readonly stdin: boolean;
  readonly tty: boolean;
  readonly signal: AbortSignal;
}

/** First byte of each message of Kubernetes' channel protocols. */
const STDIN = 0;
const STDOUT = 1;
const STDERR = 2;
const ERROR = 3;
const RESIZE = 4;
const CLOSE = 255;
/** Unsent standard input at which reading it pauses. */
const BUFFERED_BYTES_MAX = 1024 * 1024;

/** Runs a command in a container with this process's own streams. @returns its exit code */
export function runRemote(connection: ServerConnection, path: string, options: RemoteOptions): Promise<number> {
  const { ca, cert, key, token } = connection;
  const socket = new WebSocket(
    connection.server.replace(/^http/, 'ws') + path,
    ['v5.channel.k8s.io', 'v4.channel.k8s.io'],
    {
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
      ...(token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } }),
      rejectUnauthorized: connection.insecureSkipTlsVerify !== true,
    },
  );
  const raw = options.tty && process.stdin.isTTY === true;
  return new Promise<number>((resolve, reject) => {
    let code: number | undefined;
    options.signal.addEventListener('abort', () => socket.close());
    socket.on('open', () => {
      if (raw) process.stdin.setRawMode(true);
      if (options.tty) followSize(socket);
      if (options.stdin) pumpInput(socket);
    });
    socket.on('message', (data: Buffer) => {
      const payload = data.subarray(1);
      if (data[0] === STDOUT) process.stdout.write(payload);
      else if (data[0] === STDERR) process.stderr.write(payload);
      else if (data[0] === ERROR) code = exitCode(JSON.parse(payload.toString('utf8')) as Status, reject);
    });
    socket.on('unexpected-response', (_, response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () =>
        reject(new VerbError(messageOf(text) ?? `the server answered ${response.statusCode}: ${text}`)),
      );
    });
    socket.on('error', (cause) => reject(new VerbError(`cannot run the command: ${cause.message}`, { cause })));
    socket.on('close', () =>
      code === undefined ? reject(new VerbError('the connection was lost before the command ended')) : resolve(code),
    );
  }).finally(() => {
    if (raw) process.stdin.setRawMode(false);
    process.stdin.pause();
    socket.terminate();
  });
}

function exitCode(status: Status, reject: (error: VerbError) => void): number | undefined {
  if (status.status === 'Success') return 0;
  const cause = status.details?.causes?.find(({ reason }) => reason === 'ExitCode');
  if (cause?.message !== undefined) return Number(cause.message);
  reject(new VerbError(status.message ?? 'the command failed'));
  return undefined;
}

function messageOf(text: string): string | undefined {
  try {
    return (JSON.parse(text) as Status).message;
  } catch {
    // Not a Status: the caller shows the text itself.
    return undefined;
  }
}

function pumpInput(socket: WebSocket): void {
  process.stdin.on('data', (chunk: Buffer) => {
    process.stdin.pause();
    socket.send(Buffer.concat([Buffer.of(STDIN), chunk]), () => {
      if (socket.bufferedAmount < BUFFERED_BYTES_MAX) process.stdin.resume();
    });
  });
  process.stdin.on('end', () => {
    if (socket.protocol === 'v5.channel.k8s.io') socket.send(Buffer.of(CLOSE, STDIN));
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
