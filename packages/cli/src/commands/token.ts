import type { CommandDefinition } from '../context.ts';
import type { CreateTokenFlags } from '../joining/tokens.ts';
import { collect, type TargetFlags, withTarget } from '../kube/options.ts';

/** `wherry token …`: kubeadm's, with which hosts are let in. */
export const tokenCommands: CommandDefinition = (parent, context) => {
  const group = parent.command('token').description('make, list and delete tokens with which hosts join');
  const work = () => import('../joining/tokens.ts');
  withTarget(group.command('create [token]'))
    .description('make a token, and print it or the command that joins with it')
    .option('--ttl <duration>', 'how long it is good for; 0 for ever', '24h0m0s')
    .option('--usages <usages>', 'what it may be used for', splitNames, ['signing', 'authentication'])
    .option('--groups <groups>', 'groups of who shows it', splitNames, [
      'system:bootstrappers:kubeadm:default-node-token',
    ])
    .option('--description <text>', 'what it is for', '')
    .option('--print-join-command', 'print the whole "wherry join" command')
    .action(async (token: string | undefined, flags: CreateTokenFlags) =>
      (await work()).createToken(context, token, flags),
    );
  withTarget(group.command('list'))
    .description('list tokens')
    .action(async (flags: TargetFlags) => (await work()).listTokens(context, flags));
  withTarget(group.command('delete <tokens...>'))
    .description('delete tokens, named by their ids or whole')
    .action(async (tokens: readonly string[], flags: TargetFlags) =>
      (await work()).deleteTokens(context, tokens, flags),
    );
  group
    .command('generate')
    .description('print a token that could be made, and make none')
    .action(async () => (await work()).generateToken(context));
};

/** Given once, it stands instead of the default. */
function splitNames(value: string): readonly string[] {
  return collect(value, undefined).filter((name) => name !== '');
}
