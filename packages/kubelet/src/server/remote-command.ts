// exec and attach: a session of the runtime, carried to a client. How streams are told apart is the client's protocol:
// a number before each message (command-channels.ts) or a stream each (command-spdy.ts).
import type { Status } from '@wherry/api';
import type { Session } from '../runtime/port.ts';

export interface RemoteStreams {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
}

export type OutputStream = 'stdout' | 'stderr' | 'error';

/** What a client sends. */
export interface CommandInput {
  /** False: no more until `resume`. */
  stdin(chunk: Buffer): boolean;
  stdinEnd(): void;
  /** JSON with Width and Height. */
  resize(payload: Buffer): void;
  gone(): void;
}

export interface CommandClient {
  readonly open: boolean;
  listen(input: CommandInput): void;
  resume(): void;
  /** Resolves when the client may be sent more. */
  send(stream: OutputStream, payload: Uint8Array): Promise<void>;
  /** Resolves when the client has been told all. */
  close(): Promise<void>;
}

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
  let size: unknown;
  try {
    size = JSON.parse(payload.toString('utf8'));
  } catch (error) {
    onProblem(error);
    return;
  }
  if (typeof size !== 'object' || size === null || !('Width' in size) || !('Height' in size)) return;
  // A process that has ended meanwhile has no window to resize.
  session.resize(Number(size.Width), Number(size.Height)).catch(onProblem);
}

function receive(
  client: CommandClient,
  session: Session,
  streams: RemoteStreams,
  onProblem: (error: unknown) => void,
): void {
  session.stdin.on('drain', () => client.resume());
  session.stdin.on('error', onProblem);
  client.listen({
    stdin: (chunk) => !streams.stdin || session.stdin.write(chunk),
    stdinEnd: () => session.stdin.end(),
    resize: (payload) => {
      if (streams.tty) onResize(session, payload, onProblem);
    },
    gone: () => {
      session.stdin.end();
      session.close();
    },
  });
}

async function forward(
  client: CommandClient,
  stream: OutputStream,
  wanted: boolean,
  output: AsyncIterable<Buffer>,
): Promise<void> {
  for await (const chunk of output) if (wanted) await client.send(stream, chunk);
}

/** Carries a session until its process ends or the client leaves. `attached`: its exit code is not the command's. */
export async function serveSession(
  client: CommandClient,
  session: Session,
  streams: RemoteStreams,
  attached: boolean,
  onProblem: (error: unknown) => void,
): Promise<void> {
  receive(client, session, streams, onProblem);
  let status: Status;
  try {
    await Promise.all([
      forward(client, 'stdout', streams.stdout, session.stdout as AsyncIterable<Buffer>),
      forward(client, 'stderr', streams.stderr, session.stderr as AsyncIterable<Buffer>),
    ]);
    status = exitStatus(attached ? 0 : await session.exitCode());
  } catch (error) {
    if (!client.open) return;
    const message = error instanceof Error ? error.message : String(error);
    status = { metadata: {}, status: 'Failure', message, reason: 'InternalError', code: 500 };
  }
  await client.send('error', Buffer.from(JSON.stringify(status)));
  await client.close();
}
