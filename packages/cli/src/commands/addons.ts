import type { CommandDefinition } from '../context.ts';
import { type TargetFlags, withTarget } from '../kube/options.ts';

/** `wherry addons …`: what `wherry up` does by itself, for clusters that are put together by hand. */
export const addonsCommands: CommandDefinition = (parent, context) => {
  const group = parent.command('addons').description('what every cluster has beyond its API server’s own objects');
  withTarget(group.command('apply'))
    .description('create the Service of the cluster DNS and the rights of the pod network, as far as they are missing')
    .action(async (flags: TargetFlags) => {
      const [{ withSession }, { ensureAddons }] = await Promise.all([
        import('../kube/session.ts'),
        import('../cluster/addons.ts'),
      ]);
      await withSession(context, flags, ({ client }) => ensureAddons(client, context.signal));
      context.terminal.out('add-ons are there');
    });
};
