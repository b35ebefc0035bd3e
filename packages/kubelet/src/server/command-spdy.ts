// exec and attach over SPDY/3.1: a stream each for error, stdin, stdout, stderr and resize, as kubectl before 1.31 and
// many other clients do it.
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import type { Clock, Timer } from '@wherry/daemon';
import type { CommandClient, CommandInput, RemoteStreams } from './remote-command.ts';
import { SpdyConnection, SpdyError, type SpdyStream } from './spdy/connection.ts';

/** In order of preference. Every client of the last years offers it; those before it cannot say exit codes. */
export const commandSpdyProtocols: readonly string[] = ['v4.channel.k8s.io'];

/** For the client to open all the streams that it asked for. */
const STREAMS_MS_MAX = 30_000;
/** For the client to leave once all is said. Clients throw away what they have not read when the server leaves first. */
const LEAVE_MS_MAX = 10_000;

type StreamName = 'error' | 'stdin' | 'stdout' | 'stderr' | 'resize';
type Streams = ReadonlyMap<StreamName, SpdyStream>;

function expected({ stdin, stdout, stderr, tty }: RemoteStreams): readonly StreamName[] {
  const names: StreamName[] = ['error'];
  if (stdin) names.push('stdin');
  if (stdout) names.push('stdout');
  if (stderr) names.push('stderr');
  if (tty) names.push('resize');
  return names;
}

/** Serves the connection; `serve` begins once the client has opened its streams. */
export async function serveCommandSpdy(
  transport: Duplex,
  wanted: RemoteStreams,
  clock: Clock,
  serve: (client: CommandClient) => Promise<void>,
): Promise<void> {
  const names = expected(wanted);
  const streams = new Map<StreamName, SpdyStream>();
  const all = Promise.withResolvers<void>();
  const connection = new SpdyConnection(transport, (stream) => {
    const name = names.find((one) => one === stream.headers.get('streamtype'));
    if (name === undefined || streams.has(name)) {
      throw new SpdyError(`invalid stream type "${stream.headers.get('streamtype') ?? ''}"`);
    }
    streams.set(name, stream);
    if (streams.size === names.length) all.resolve();
  });
  const patience = clock.setTimer(STREAMS_MS_MAX, () =>
    all.reject(new SpdyError('timed out waiting for client to create streams')),
  );
  const ended = connection.run().finally(() => all.reject(new SpdyError('the client left')));
  let leaving: Timer | undefined;
  const served = all.promise
    .then(() => serve(spdyClient(streams, transport)))
    .then(
      () => {
        leaving = clock.setTimer(LEAVE_MS_MAX, () => connection.close());
      },
      (error: unknown) => {
        connection.close();
        throw error;
      },
    )
    .finally(() => patience.cancel());
  await Promise.all([served, ended]).finally(() => leaving?.cancel());
}

function spdyClient(streams: Streams, transport: Duplex): CommandClient {
  return {
    get open() {
      return transport.writable;
    },
    listen: (input) => listen(streams, transport, input),
    resume: () => streams.get('stdin')?.resume(),
    send: async (name, payload) => {
      const stream = streams.get(name);
      if (stream === undefined || stream.destroyed || stream.write(payload)) return;
      await Promise.race([once(stream, 'drain'), once(stream, 'close')]);
    },
    close: async () => {
      const ending = (['stdout', 'stderr', 'error'] as const).map(
        (name) => new Promise<void>((resolve) => streams.get(name)?.end(() => resolve()) ?? resolve()),
      );
      await Promise.all(ending);
    },
  };
}

function listen(streams: Streams, transport: Duplex, input: CommandInput): void {
  const stdin = streams.get('stdin');
  stdin?.on('data', (chunk: Buffer) => {
    if (!input.stdin(chunk)) stdin.pause();
  });
  stdin?.on('end', () => input.stdinEnd());
  streams.get('resize')?.on('data', (chunk: Buffer) => {
    // A terminal that is dragged sends many sizes, each a line.
    for (const line of chunk.toString('utf8').split('\n')) if (line !== '') input.resize(Buffer.from(line));
  });
  for (const name of ['stdout', 'stderr', 'error'] as const) streams.get(name)?.resume();
  transport.once('close', () => input.gone());
}
