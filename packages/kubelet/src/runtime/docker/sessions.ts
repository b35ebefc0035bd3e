// Interactive streams over a hijacked Docker connection.
import { readFile } from 'node:fs/promises';
import { type Duplex, PassThrough, type Readable, Writable } from 'node:stream';
import type Docker from 'dockerode';
import { type ExecOptions, type ExecResult, RuntimeError, type Session } from '../port.ts';
import { frames } from './frames.ts';

async function write(to: Writable, payload: Buffer): Promise<void> {
  if (to.destroyed || to.write(payload)) return;
  await new Promise<void>((resolve) => {
    const done = () => {
      to.off('drain', done);
      to.off('close', done);
      resolve();
    };
    to.on('drain', done);
    to.on('close', done);
  });
}

/** Splits the connection into the two outputs and ends both with it. A reader that stalls holds the process back. */
function split(connection: Duplex, tty: boolean): { readonly stdout: PassThrough; readonly stderr: PassThrough } {
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const pump = async () => {
    if (tty) {
      for await (const chunk of connection as AsyncIterable<Buffer>) await write(stdout, chunk);
      return;
    }
    for await (const frame of frames(connection as AsyncIterable<Buffer>)) {
      await write(frame.stream === 'stdout' ? stdout : stderr, frame.payload);
    }
  };
  pump().then(
    () => {
      stdout.end();
      stderr.end();
    },
    (error: Error) => {
      stdout.destroy(error);
      stderr.destroy(error);
    },
  );
  return { stdout, stderr };
}

function stdinOf(connection: Duplex): Writable {
  return new Writable({
    write: (chunk: Buffer, _encoding, done) => void connection.write(chunk, done),
    // Half-closes: the process sees end of file, its output still comes.
    final: (done) => void connection.end(done),
  });
}

export async function openExec(docker: Docker, containerId: string, options: ExecOptions): Promise<Session> {
  return (await beginExec(docker, containerId, options)).session;
}

interface BegunExec {
  readonly session: Session;
  readonly exec: Docker.Exec;
}

async function beginExec(docker: Docker, containerId: string, options: ExecOptions): Promise<BegunExec> {
  const exec = await docker.getContainer(containerId).exec({
    Cmd: [...options.command],
    Tty: options.tty,
    AttachStdin: options.stdin,
    AttachStdout: true,
    AttachStderr: true,
  });
  const connection = await exec.start({ hijack: true, stdin: options.stdin, Tty: options.tty });
  const session: Session = {
    stdin: stdinOf(connection),
    ...split(connection, options.tty),
    resize: async (columns, rows) => {
      await exec.resize({ w: columns, h: rows });
    },
    exitCode: async () => {
      const info = await exec.inspect();
      // Docker leaves it open when the command could not be started at all.
      return info.ExitCode ?? 126;
    },
    close: () => connection.destroy(),
  };
  return { session, exec };
}

export async function openAttach(
  docker: Docker,
  containerId: string,
  options: { readonly tty: boolean; readonly stdin: boolean },
): Promise<Session> {
  const container = docker.getContainer(containerId);
  const connection = (await container.attach({
    stream: true,
    hijack: true,
    stdin: options.stdin,
    stdout: true,
    stderr: true,
  })) as Duplex;
  return {
    stdin: stdinOf(connection),
    ...split(connection, options.tty),
    resize: async (columns, rows) => {
      await container.resize({ w: columns, h: rows });
    },
    exitCode: async () => (await container.inspect()).State.ExitCode,
    close: () => connection.destroy(),
  };
}

/** What a probe or hook may say at most. */
const outputBytesMax = 10 * 1024;

async function collect(readable: Readable, into: Buffer[], room: { left: number }): Promise<void> {
  for await (const chunk of readable as AsyncIterable<Buffer>) {
    if (room.left <= 0) continue;
    into.push(chunk.subarray(0, room.left));
    room.left -= chunk.length;
  }
}

/**
 * Runs a command to its end, or until `expired` resolves: then its process is killed.
 * @throws RuntimeError `timeout`
 */
export async function execToEnd(
  docker: Docker,
  containerId: string,
  command: readonly string[],
  expired: Promise<'timeout'>,
): Promise<ExecResult> {
  const { session, exec } = await beginExec(docker, containerId, { command, tty: false, stdin: false });
  const chunks: Buffer[] = [];
  const room = { left: outputBytesMax };
  const ended = Promise.all([collect(session.stdout, chunks, room), collect(session.stderr, chunks, room)]);
  const outcome = await Promise.race([ended, expired]);
  if (outcome === 'timeout') {
    ended.catch(() => undefined);
    await killProcess((await exec.inspect()).Pid, containerId);
    session.close();
    throw new RuntimeError('timeout', 'command timed out');
  }
  return { exitCode: await session.exitCode(), output: Buffer.concat(chunks).toString('utf8') };
}

/**
 * The engine has no call that ends an exec. Its process is ours to see when the engine runs beside us, which its
 * control group proves; elsewhere that number could be anybody, and the process is left to end by itself.
 */
async function killProcess(pid: number, containerId: string): Promise<void> {
  try {
    if (pid <= 0 || !(await readFile(`/proc/${pid}/cgroup`, 'utf8')).includes(containerId)) return;
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    // Gone meanwhile.
    if (!(error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH')))
      throw error;
  }
}
