import type { CommandDefinition } from '../context.ts';
import { type TargetFlags, withTarget } from '../kube/options.ts';

interface AddonsFlags extends TargetFlags {
  readonly advertiseServer?: string;
}

/** `wherry addons …`: what `wherry up` does by itself, for clusters that are put together by hand. */
export const addonsCommands: CommandDefinition = (parent, context) => {
  const group = parent.command('addons').description('what every cluster has beyond its API server’s own objects');
  withTarget(group.command('apply'))
    .description(
      'create the Service of the cluster DNS, the rights of the pod network and what lets hosts join, as far as missing',
    )
    .option('--advertise-server <url>', 'URL at which hosts that join reach the API server (default: as this command)')
    .action(async (flags: AddonsFlags) => {
      const [{ withSession }, { ensureAddons }] = await Promise.all([
        import('../kube/session.ts'),
        import('../cluster/addons.ts'),
      ]);
      await withSession(context, flags, ({ client, connection }) => {
        const info = { server: flags.advertiseServer ?? connection.server, authority: connection.ca ?? '' };
        return ensureAddons(client, info, context.signal);
      });
      context.terminal.out('add-ons are there');
    });
};
