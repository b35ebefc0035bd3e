import { type Command, InvalidArgumentError } from 'commander';
import type { CommandDefinition } from '../context.ts';
import type { ConnectionFlags } from '../store-commands/connection.ts';
import type { RestoreFlags } from '../store-commands/restore.ts';
import { clusterOption } from './options.ts';

interface OutputFlag {
  readonly output?: 'json';
}

/** `wherry store …`: what etcdctl does to the store, for those without it, and what lets etcdctl do it. */
export const storeCommands: CommandDefinition = (parent, context) => {
  const group = parent.command('store').description("look after a cluster's store: members, leadership, backups");
  const actions = () => import('../store-commands/actions.ts');
  reached(group.command('env'))
    .description('print what etcdctl needs to know, for: eval "$(wherry store env)"')
    .action(async (flags: ConnectionFlags) => (await actions()).printEnvironment(context, flags));
  withOutput(reached(group.command('status')))
    .description("show each member's own view: who leads, revision, log, size, alarms")
    .action(async (flags: ConnectionFlags & OutputFlag) => (await actions()).showStatus(context, flags, flags.output));
  reached(group.command('move-leader <member>'))
    .description('hand leadership to a member, named or given by its id')
    .action(async (member: string, flags: ConnectionFlags) => (await actions()).moveLeader(context, flags, member));
  defineMember(group, context);
  defineSnapshot(group, context);
};

const defineMember: CommandDefinition = (group, context) => {
  const member = group.command('member').description('list, add and remove members');
  const actions = () => import('../store-commands/actions.ts');
  withOutput(reached(member.command('list')))
    .description('list members')
    .action(async (flags: ConnectionFlags & OutputFlag) => (await actions()).listMembers(context, flags, flags.output));
  reached(member.command('add <peer-url>'))
    .description('add a member, to be started afterwards at this peer URL')
    .option('--learner', 'it does not vote until it is promoted')
    .action(async (peerUrl: string, flags: ConnectionFlags & { readonly learner?: true }) =>
      (await actions()).addMember(context, flags, peerUrl, flags.learner === true),
    );
  reached(member.command('remove <member>'))
    .description('remove a member, named or given by its id')
    .action(async (name: string, flags: ConnectionFlags) => (await actions()).removeMember(context, flags, name));
  reached(member.command('update <member> <peer-url>'))
    .description("change a member's peer URL")
    .action(async (name: string, peerUrl: string, flags: ConnectionFlags) =>
      (await actions()).updateMember(context, flags, name, peerUrl),
    );
  reached(member.command('promote <member>'))
    .description('let a learner vote')
    .action(async (name: string, flags: ConnectionFlags) => (await actions()).promoteMember(context, flags, name));
};

const defineSnapshot: CommandDefinition = (group, context) => {
  const snapshot = group.command('snapshot').description("save and restore backups, in etcd's own format");
  reached(snapshot.command('save <file>'))
    .description("save a member's state in a file")
    .action(async (file: string, flags: ConnectionFlags) => {
      const { saveSnapshot } = await import('../store-commands/actions.ts');
      await saveSnapshot(context, flags, file);
    });
  withOutput(snapshot.command('status <file>'))
    .description('show what a backup holds')
    .option('--skip-hash-check', 'take a file without a checksum, such as a copy of an etcd data directory')
    .action(async (file: string, flags: OutputFlag & { readonly skipHashCheck?: true }) => {
      const { showSnapshot } = await import('../store-commands/actions.ts');
      await showSnapshot(context, file, flags.skipHashCheck === true, flags.output);
    });
  snapshot
    .command('restore <file>')
    .description("make a new store from a backup: of a stopped cluster on this machine, or of one member's directory")
    .addOption(clusterOption())
    .option('--data-dir <folder>', 'make this directory of one member instead; needs --member and --initial-cluster')
    .option('--member <member>', "with --data-dir: the member's name")
    .option('--initial-cluster <members>', 'with --data-dir: all members, name=peer-url,…')
    .option('--initial-cluster-token <token>', 'with --data-dir: tells clusters of equal members apart', 'etcd-cluster')
    .option(
      '--bump-revision <revisions>',
      'go on this much above the backup, so that nobody who saw later revisions sees them again',
      parseRevisions,
      SAFE_BUMP_REVISIONS,
    )
    .option('--skip-hash-check', 'take a file without a checksum, such as a copy of an etcd data directory')
    .action(async (file: string, flags: RestoreFlags) => {
      const { restoreSnapshot } = await import('../store-commands/restore.ts');
      await restoreSnapshot(context, file, flags);
    });
};

/** More than any store writes between a backup and its loss: a month at 385 writes a second (etcd's advice). */
const SAFE_BUMP_REVISIONS = 1_000_000_000;

function parseRevisions(text: string): number {
  if (!/^\d{1,12}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
}

function reached(command: Command): Command {
  return command
    .addOption(clusterOption())
    .option('--endpoints <urls>', "client URLs of the members, comma separated (default: the cluster's)")
    .option('--cacert <file>', "the store's certificate authority (default: the cluster's)")
    .option('--cert <file>', "an operator's certificate (default: the cluster's)")
    .option('--key <file>', 'its key');
}

function withOutput(command: Command): Command {
  return command.option('-o, --output <format>', 'output format: json', (format: string) => {
    if (format !== 'json') throw new InvalidArgumentError('Allowed: json.');
    return format;
  });
}
