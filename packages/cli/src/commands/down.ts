import type { CommandDefinition } from '../context.ts';
import { type ClusterFlag, clusterCommand } from './options.ts';

interface DownFlags extends ClusterFlag {
  readonly delete?: true;
}

export const downCommand: CommandDefinition = (parent, context) => {
  clusterCommand(parent, 'down', 'stop a cluster; its data stays')
    .option('--delete', 'remove everything of it: data, certificates, containers, network')
    .action(async (flags: DownFlags) => {
      const { runDown } = await import('../cluster/run-down.ts');
      await runDown(context, flags.name, flags.delete === true);
    });
};
