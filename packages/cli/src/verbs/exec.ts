import { type Pod, resources } from '@wherry/api';
import { objectPath } from '@wherry/client';
import type { CommandDefinition, Context } from '../context.ts';
import { Failure } from '../failure.ts';
import { podsOf } from '../kube/pods-of.ts';
import { runRemote } from '../kube/remote-command.ts';
import { type Session, type TargetFlags, withSession, withTarget } from '../kube/session.ts';

interface ExecFlags extends TargetFlags {
  readonly container?: string;
  readonly stdin?: boolean;
  readonly tty?: boolean;
}

export const execCommand: CommandDefinition = (parent, context) => {
  withTarget(parent.command('exec'))
    .description('Run a command in a container: wherry exec -it web-1 -- sh')
    .argument('<target>', 'pod, or type/name of what owns pods')
    .argument('<command...>', 'the command, after --')
    .option('-c, --container <name>', 'which container')
    .option('-i, --stdin', 'pass standard input on')
    .option('-t, --tty', 'a terminal in the container')
    .action((target: string, command: readonly string[], flags: ExecFlags) =>
      withSession(context, flags, (session) => exec(context, session, target, command, flags)),
    );
};

async function exec(
  context: Context,
  session: Session,
  target: string,
  command: readonly string[],
  flags: ExecFlags,
): Promise<void> {
  const [pod] = await podsOf(session, target, undefined);
  if (pod === undefined) throw new Failure(`${target} has no pods`);
  const { name = '', namespace } = pod.metadata ?? {};
  const query = new URLSearchParams({
    container: containerOf(context, pod, flags),
    stdout: 'true',
    stderr: String(flags.tty !== true),
  });
  for (const word of command) query.append('command', word);
  if (flags.stdin === true) query.set('stdin', 'true');
  if (flags.tty === true) query.set('tty', 'true');
  const path = `${objectPath(resources.pods, name, namespace, 'exec')}?${query}`;
  const code = await runRemote(session.connection, path, {
    stdin: flags.stdin === true,
    tty: flags.tty === true,
    signal: context.signal,
  });
  if (code !== 0) process.exitCode = code;
}

function containerOf(context: Context, pod: Pod, flags: ExecFlags): string {
  if (flags.container !== undefined) return flags.container;
  const containers = pod.spec?.containers ?? [];
  const name = pod.metadata?.annotations?.['kubectl.kubernetes.io/default-container'] ?? containers[0]?.name ?? '';
  if (containers.length > 1)
    context.terminal.err(`Defaulted container "${name}" out of: ${containers.map((one) => one.name).join(', ')}`);
  return name;
}
