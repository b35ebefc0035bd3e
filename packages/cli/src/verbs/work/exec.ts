import { type Pod, resources } from '@wherry/api';
import { objectPath } from '@wherry/client';
import type { Context } from '../../context.ts';
import { chosenContainer } from '../../kube/containers-of.ts';
import { podsOf } from '../../kube/pods-of.ts';
import { runRemote } from '../../kube/remote-command.ts';
import { type Session, withSession } from '../../kube/session.ts';
import { VerbError } from '../../kube/verb-error.ts';
import type { ExecFlags } from '../exec.ts';

export function exec(context: Context, target: string, command: readonly string[], flags: ExecFlags): Promise<void> {
  if (command.length === 0) throw new VerbError('you must specify at least one command for the container');
  return withSession(context, flags, async (session) => {
    const pod = await runningPod(session, target, 'exec into');
    const container = chosenContainer(pod, flags.container, sayer(context, flags));
    await join(context, session, pod, 'exec', { ...flags, container }, command);
  });
}

export function attach(context: Context, target: string, flags: ExecFlags): Promise<void> {
  return withSession(context, flags, async (session) => {
    const pod = await runningPod(session, target, 'attach to');
    const container = chosenContainer(pod, flags.container, sayer(context, flags));
    await attachTo(context, session, pod, { ...flags, container });
  });
}

/** Joins a container's own process. A terminal is only asked for where the container has one. */
export async function attachTo(context: Context, session: Session, pod: Pod, flags: ExecFlags): Promise<void> {
  const own = pod.spec?.containers.find(({ name }) => name === flags.container);
  const tty = flags.tty === true && own?.tty === true;
  if (flags.tty === true && !tty) {
    context.terminal.err(`Unable to use a TTY - container ${flags.container ?? ''} did not allocate one`);
  } else if (tty && flags.stdin === true && flags.quiet !== true) {
    context.terminal.err("If you don't see a command prompt, try pressing enter.");
  }
  await join(context, session, pod, 'attach', { ...flags, tty }, []);
}

function sayer(context: Context, flags: ExecFlags): (text: string) => void {
  return (text) => {
    if (flags.quiet !== true) context.terminal.err(text);
  };
}

async function runningPod(session: Session, target: string, doing: string): Promise<Pod> {
  const [pod] = await podsOf(session, target, undefined);
  if (pod === undefined) throw new VerbError(`${target} has no pods`);
  const phase = pod.status?.phase;
  if (phase === 'Succeeded' || phase === 'Failed') {
    throw new VerbError(`cannot ${doing} a container in a completed pod; current phase is ${phase}`);
  }
  return pod;
}

async function join(
  context: Context,
  session: Session,
  pod: Pod,
  kind: 'exec' | 'attach',
  flags: ExecFlags,
  command: readonly string[],
): Promise<void> {
  const { name = '', namespace } = pod.metadata ?? {};
  const isTerminal = flags.tty === true && process.stdin.isTTY === true;
  if (flags.tty === true && flags.stdin === true && !isTerminal && flags.quiet !== true) {
    context.terminal.err('Unable to use a TTY - input is not a terminal or the right kind of file');
  }
  const tty = flags.tty === true && (isTerminal || flags.stdin !== true);
  const query = new URLSearchParams({ container: flags.container ?? '', stdout: 'true', stderr: String(!tty) });
  for (const word of command) query.append('command', word);
  if (flags.stdin === true) query.set('stdin', 'true');
  if (tty) query.set('tty', 'true');
  const path = `${objectPath(resources.pods, name, namespace, kind)}?${query}`;
  const code = await runRemote(session, path, { stdin: flags.stdin === true, tty, signal: context.signal });
  if (code !== 0) {
    if (flags.quiet !== true) context.terminal.err(`command terminated with exit code ${code}`);
    process.exitCode = code;
  }
}
