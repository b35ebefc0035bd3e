import { stat } from 'node:fs/promises';
import { basename, join, posix } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { type Pod, resources } from '@wherry/api';
import { objectPath } from '@wherry/client';
import type { Context } from '../../context.ts';
import { chosenContainer } from '../../kube/containers-of.ts';
import { runWithStreams } from '../../kube/remote-command.ts';
import { type Session, withSession } from '../../kube/session.ts';
import { packFiles, unpackEntry } from '../../kube/tar/files.ts';
import { readTar } from '../../kube/tar/read.ts';
import { VerbError } from '../../kube/verb-error.ts';
import type { CopyFlags } from '../copy.ts';

/** A path here (no pod), or in a pod's container. */
interface Place {
  readonly namespace: string | undefined;
  readonly pod: string | undefined;
  readonly path: string;
}

export function copy(context: Context, from: string, to: string, flags: CopyFlags): Promise<void> {
  const [source, target] = [placeOf(from), placeOf(to)];
  if (source.pod !== undefined && target.pod !== undefined)
    throw new VerbError('one of src or dest must be a local file specification');
  if (source.path === '' || target.path === '') throw new VerbError('filepath can not be empty');
  return withSession(context, flags, async (session) => {
    if (target.pod !== undefined) return copyInto(context, session, source.path, target, flags);
    if (source.pod !== undefined) return copyOut(context, session, source, target.path, flags);
    throw new VerbError('one of src or dest must be a remote file specification');
  });
}

/** `[namespace/]pod:path`; a path that exists here, or begins like one, is one of here. */
function placeOf(text: string): Place {
  const colon = text.indexOf(':');
  if (colon === -1 || /^[./]/.test(text)) return { namespace: undefined, pod: undefined, path: text };
  const [first = '', second, ...more] = text.slice(0, colon).split('/');
  if (first === '' || more.length > 0) {
    throw new VerbError(`source and destination are required: "${text}" is not of the form [namespace/]pod:path`);
  }
  return { namespace: second === undefined ? undefined : first, pod: second ?? first, path: text.slice(colon + 1) };
}

async function podOf(session: Session, { namespace = session.namespace, pod = '' }: Place): Promise<Pod> {
  const found = await session.client.get(resources.pods, pod, { namespace });
  const phase = found.status?.phase;
  if (phase === 'Succeeded' || phase === 'Failed') {
    throw new VerbError(`cannot exec into a container in a completed pod; current phase is ${phase}`);
  }
  return found;
}

function execPath(context: Context, pod: Pod, flags: CopyFlags, command: readonly string[], stdin: boolean): string {
  const container = chosenContainer(pod, flags.container, (text) => context.terminal.err(text));
  const query = new URLSearchParams({ container, stdout: 'true', stderr: 'true' });
  if (stdin) query.set('stdin', 'true');
  for (const word of command) query.append('command', word);
  return `${objectPath(resources.pods, pod.metadata?.name ?? '', pod.metadata?.namespace, 'exec')}?${query}`;
}

async function copyInto(
  context: Context,
  session: Session,
  from: string,
  place: Place,
  flags: CopyFlags,
): Promise<void> {
  const found = await stat(from).catch((cause: unknown) => {
    throw new VerbError(`${from} doesn't exist in local filesystem`, { cause });
  });
  const pod = await podOf(session, place);
  let path = posix.normalize(place.path);
  // Into a folder that is there, beside what it holds; otherwise the path is the copy's own name.
  const isFolder = (await run(context, session, pod, flags, ['test', '-d', path])) === 0;
  if (isFolder) path = posix.join(path, basename(found.isDirectory() ? join(from, '.') : from));
  const owner = flags.preserve ? [] : ['--no-same-permissions', '--no-same-owner'];
  const command = ['tar', ...owner, '-xmf', '-', '-C', posix.dirname(path)];
  const stdin = Readable.from(packFiles(from, posix.basename(path)), { objectMode: false });
  const code = await run(context, session, pod, flags, command, stdin);
  if (code !== 0) throw new VerbError(`command terminated with exit code ${code}`);
}

async function run(
  context: Context,
  session: Session,
  pod: Pod,
  flags: CopyFlags,
  command: readonly string[],
  stdin?: NodeJS.ReadableStream,
): Promise<number> {
  const path = execPath(context, pod, flags, command, stdin !== undefined);
  const streams = {
    stdin,
    stdout: new PassThrough().resume(),
    stderr: process.stderr,
  };
  return runWithStreams(session, path, streams, context.signal);
}

async function copyOut(context: Context, session: Session, place: Place, to: string, flags: CopyFlags): Promise<void> {
  const pod = await podOf(session, place);
  const path = posix.normalize(place.path).replace(/\/$/, '');
  const command = ['tar', 'cf', '-', path === '' ? '/' : path];
  const archive = new PassThrough();
  const streams = {
    stdin: undefined,
    stdout: archive,
    stderr: process.stderr,
  };
  const existing = await stat(to).catch(() => undefined);
  const target = existing?.isDirectory() === true ? join(to, posix.basename(path)) : to;
  const running = runWithStreams(
    session,
    execPath(context, pod, flags, command, false),
    streams,
    context.signal,
  ).finally(() => archive.end());
  const [ended, unpacked] = await Promise.allSettled([
    running,
    unpack(context, archive, path.replace(/^\/+/, ''), target),
  ]);
  // What tar said of itself explains a cut archive, not the other way round.
  if (ended.status === 'rejected') throw ended.reason;
  if (ended.value !== 0) throw new VerbError(`command terminated with exit code ${ended.value}`);
  if (unpacked.status === 'rejected') throw new VerbError(`cannot write ${target}`, { cause: unpacked.reason });
}

/** Entries carry the whole path in the container: what was asked for becomes `target`. */
async function unpack(context: Context, archive: AsyncIterable<Buffer>, prefix: string, target: string): Promise<void> {
  for await (const entry of readTar(archive)) {
    const path = posix.normalize(entry.path).replace(/^\/+|\/+$/g, '');
    const relative =
      prefix === ''
        ? path
        : path === prefix
          ? ''
          : path.startsWith(`${prefix}/`)
            ? path.slice(prefix.length + 1)
            : undefined;
    const refusal = relative === undefined ? 'it was not asked for' : await unpackEntry(target, relative, entry);
    if (refusal !== undefined) context.terminal.err(`warning: skipping ${entry.path}: ${refusal}`);
  }
}
