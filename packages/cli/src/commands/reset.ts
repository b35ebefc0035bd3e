import type { CommandDefinition } from '../context.ts';
import { type ClusterFlag, clusterCommand } from './options.ts';

interface ResetFlags extends ClusterFlag {
  readonly force?: true;
}

/** `wherry reset`: takes back what `wherry join` did. */
export const resetCommand: CommandDefinition = (parent, context) => {
  clusterCommand(parent, 'reset', 'take back what "wherry join" did to this host')
    .option('-f, --force', 'do it: its pods end, its files are removed')
    .action(async (flags: ResetFlags) => {
      const { reset } = await import('../joining/reset.ts');
      await reset(context, flags.name, flags.force === true);
    });
};
