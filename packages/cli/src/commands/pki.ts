import type { Command } from 'commander';
import type { CommandDefinition } from '../context.ts';
import type { InitOptions } from '../pki-commands/init.ts';
import type { KubeconfigOptions } from '../pki-commands/kubeconfig.ts';
import type { NodeOptions } from '../pki-commands/node.ts';
import type { MemberOptions } from '../pki-commands/store.ts';
import { clusterOption } from './options.ts';

const several = (value: string, before: readonly string[]): readonly string[] => [...before, value];

/** `wherry pki …`: certificates for clusters that are put together by hand. */
export const pkiCommands: CommandDefinition = (parent, context) => {
  const group = parent.command('pki').description('make certificates and kubeconfigs');
  withPlace(group.command('init'))
    .description("make a cluster's authorities, certificates and the administrator's kubeconfig; what fits is kept")
    .option('--apiserver-address <address>', 'further address or name of the API server; may be repeated', several, [])
    .action(async (flags: InitOptions) => {
      const { initPki } = await import('../pki-commands/init.ts');
      await initPki(context, flags);
    });
  withPlace(group.command('node <node>'))
    .description("make a node's certificates; what fits is kept")
    .option('--address <address>', 'address of the node; may be repeated', several, [])
    .option('--server <url>', 'URL of the API server: also make the folder nodes/<node> to carry to its host')
    .action(async (node: string, flags: NodeOptions) => {
      const { nodePki } = await import('../pki-commands/node.ts');
      await nodePki(context, node, flags);
    });
  withPlace(group.command('store <member>'))
    .description("make the certificates of a store's member on a host of its own; what fits is kept")
    .option('--address <address>', 'address or name of the member; may be repeated', several, [])
    .action(async (member: string, flags: MemberOptions) => {
      const { storePki } = await import('../pki-commands/store.ts');
      await storePki(context, member, flags);
    });
  withPlace(group.command('kubeconfig <identity>'))
    .description('write the kubeconfig of admin, scheduler, controller-manager, proxy, dns or node/<name>')
    .requiredOption('--server <url>', 'URL of the API server')
    .requiredOption('--file <file>', 'where to write it')
    .action(async (identity: string, flags: KubeconfigOptions) => {
      const { writeKubeconfig } = await import('../pki-commands/kubeconfig.ts');
      await writeKubeconfig(context, identity, flags);
    });
};

function withPlace(command: Command): Command {
  return command
    .addOption(clusterOption())
    .option('--out <folder>', "folder that holds pki/ (default: the cluster's folder)");
}
