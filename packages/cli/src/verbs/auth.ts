import type { CommandDefinition } from '../context.ts';
import { type TargetFlags, withTarget } from '../kube/options.ts';

export interface CanIFlags extends TargetFlags {
  readonly allNamespaces?: boolean;
  readonly quiet?: boolean;
  readonly list?: boolean;
  readonly subresource?: string;
  readonly headers: boolean;
}
export interface WhoAmIFlags extends TargetFlags {
  readonly output?: string;
}

export const authCommand: CommandDefinition = (parent, context) => {
  const auth = parent.command('auth').description('Ask who you are and what you may do');
  const work = () => import('./work/auth.ts');
  withTarget(auth.command('can-i'))
    .description('May I do this? wherry auth can-i create pods, can-i get /healthz, can-i --list')
    .argument('[words...]', 'verb, then a type, type/name or a path')
    .option('-A, --all-namespaces', 'in all namespaces')
    .option('-q, --quiet', 'only the exit code: 0 is yes, 1 is no')
    .option('--list', 'all that is allowed')
    .option('--subresource <name>', 'for example log or scale')
    .option('--no-headers', 'leave the headings out')
    .action(async (words: readonly string[], flags: CanIFlags) => (await work()).canI(context, words, flags));
  withTarget(auth.command('whoami'))
    .description('Show the user that the server takes you for')
    .option('-o, --output <format>', 'json or yaml')
    .action(async (flags: WhoAmIFlags) => (await work()).whoAmI(context, flags));
};
