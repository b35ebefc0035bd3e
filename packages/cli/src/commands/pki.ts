import type { CommandDefinition } from '../context.ts';
import { clusterOption } from './options.ts';

interface InitFlags {
  readonly name: string;
  readonly out?: string;
  readonly apiserverAddress: readonly string[];
}

const several = (value: string, before: readonly string[]): readonly string[] => [...before, value];

/** `wherry pki …`: certificates for clusters that are put together by hand. */
export const pkiCommands: CommandDefinition = (parent, context) => {
  const group = parent.command('pki').description('make certificates and kubeconfigs');
  group
    .command('init')
    .description("make a cluster's authorities, certificates and the administrator's kubeconfig; what fits is kept")
    .addOption(clusterOption())
    .option('--out <folder>', "where to put them (default: the cluster's folder)")
    .option('--apiserver-address <address>', 'further address or name of the API server; may be repeated', several, [])
    .action(async (flags: InitFlags) => {
      const { initPki } = await import('../pki-commands/init.ts');
      await initPki(context, flags);
    });
};
