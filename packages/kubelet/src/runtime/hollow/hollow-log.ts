// What `kubectl logs` shows of a container that runs no program: when it started and how it ended.
import { Readable } from 'node:stream';
import { type Clock, pause, rfc3339Micro } from '@wherry/daemon';
import type { RuntimeContainer } from '../../plan/runtime-state.ts';
import type { LogOptions, PodIdentity } from '../port.ts';

/** How often a follower learns of the end. */
const followMs = 500;

interface Line {
  readonly atMs: number;
  readonly text: string;
}

function linesOf(pod: PodIdentity, container: RuntimeContainer | undefined): readonly Line[] {
  if (container?.startedAtMs === undefined) return [];
  const { name, image, startedAtMs, finishedAtMs, exitCode } = container;
  const who = `container "${name}" of pod "${pod.namespace}/${pod.name}"`;
  const began = { atMs: startedAtMs, text: `hollow: simulated ${who} started; image ${image} is not run` };
  if (finishedAtMs === undefined) return [began];
  return [began, { atMs: finishedAtMs, text: `hollow: simulated ${who} ended with exit code ${exitCode ?? 0}` }];
}

/** @param read the container as it is now; undefined once it has been removed */
export function hollowLog(
  pod: PodIdentity,
  read: () => RuntimeContainer | undefined,
  options: LogOptions | undefined,
  clock: Clock,
  signal: AbortSignal = new AbortController().signal,
): Readable {
  const since = (line: Line) => options?.sinceMs === undefined || line.atMs >= options.sinceMs;
  const show = ({ atMs, text }: Line) =>
    Buffer.from(options?.timestamps === true ? `${rfc3339Micro(atMs)} ${text}\n` : `${text}\n`);
  async function* chunks(): AsyncGenerator<Buffer> {
    const first = linesOf(pod, read()).filter(since);
    const tail = options?.tailLines;
    yield* (tail === undefined ? first : first.slice(Math.max(0, first.length - tail))).map(show);
    if (options?.follow !== true) return;
    let shown = linesOf(pod, read()).length;
    while (read()?.phase === 'running' && (await pause(clock, followMs, signal))) {
      const lines = linesOf(pod, read());
      yield* lines.slice(shown).map(show);
      shown = lines.length;
    }
  }
  return Readable.from(chunks());
}
