import type { CommandDefinition } from '../context.ts';
import { type ClusterFlag, clusterCommand } from './options.ts';

interface LogFlags extends ClusterFlag {
  readonly follow?: true;
  readonly tail?: string;
}

/** `wherry daemon …`: what an operator does to single processes. Each takes a daemon's name, or its kind when it is the only one. */
export const daemonCommands: CommandDefinition = (parent, context) => {
  const group = parent.command('daemon').description('list, watch, kill, pause and start single daemons');
  const actions = () => import('../daemons/actions.ts');
  clusterCommand(group, 'list', 'list daemons').action(async (flags: ClusterFlag) =>
    (await actions()).list(context, flags.name),
  );
  clusterCommand(group, 'logs <daemon>', "print a daemon's log, a JSON object per line")
    .option('-f, --follow', 'go on printing what is added')
    .option('--tail <lines>', 'start with that many last lines')
    .action(async (daemon: string, flags: LogFlags) => {
      const { showLog } = await import('../daemons/show-log.ts');
      const tail = flags.tail === undefined ? undefined : Number(flags.tail);
      await showLog(context, flags.name, daemon, {
        follow: flags.follow === true,
        ...(tail === undefined ? {} : { tail }),
      });
    });
  clusterCommand(
    group,
    'kill <daemon>',
    'end a daemon as a crash would (SIGKILL); nothing starts it again by itself',
  ).action(async (daemon: string, flags: ClusterFlag) => (await actions()).kill(context, flags.name, daemon));
  clusterCommand(
    group,
    'pause <daemon>',
    'stop a daemon in its tracks (SIGSTOP): it keeps its connections and says nothing',
  ).action(async (daemon: string, flags: ClusterFlag) => (await actions()).pause(context, flags.name, daemon));
  clusterCommand(group, 'resume <daemon>', 'let a paused daemon go on').action(
    async (daemon: string, flags: ClusterFlag) => (await actions()).resume(context, flags.name, daemon),
  );
  clusterCommand(group, 'start <daemon>', 'start a daemon that is gone, just as it was started before').action(
    async (daemon: string, flags: ClusterFlag) => (await actions()).start(context, flags.name, daemon),
  );
  group
    .command('exec <kind> [flags...]')
    .description("become a daemon, with upstream's flags: for systemd, containers and clusters put together by hand")
    .helpOption(false)
    .allowUnknownOption()
    .action(async (kind: string, flags: readonly string[]) => {
      const { execDaemon } = await import('../daemons/exec.ts');
      await execDaemon(context, kind, flags);
    });
};
