import type { CommandDefinition } from '../context.ts';

export interface ConfigFlags {
  readonly kubeconfig?: string;
}
export interface ViewFlags extends ConfigFlags {
  readonly minify?: boolean;
  readonly raw?: boolean;
  readonly output?: string;
}
export interface GetContextsFlags extends ConfigFlags {
  readonly output?: string;
  readonly headers: boolean;
}
export interface SetContextFlags extends ConfigFlags {
  readonly current?: boolean;
  readonly namespace?: string;
  readonly cluster?: string;
  readonly user?: string;
}

export const configCommand: CommandDefinition = (parent, context) => {
  const config = parent
    .command('config')
    .description('Show and change the kubeconfig: which cluster, user and namespace are meant');
  const work = () => import('./work/config.ts');
  const define = (usage: string, description: string) =>
    config
      .command(usage)
      .description(description)
      .option(
        '--kubeconfig <file>',
        'kubeconfig to use (default: $KUBECONFIG, else the default cluster of this machine)',
      );
  define('view', 'Print the kubeconfig, without keys')
    .option('--minify', 'only the current context and what it names')
    .option('--raw', 'with keys')
    .option('-o, --output <format>', 'yaml or json', 'yaml')
    .action(async (flags: ViewFlags) => (await work()).view(context, flags));
  define('current-context', 'Print the name of the current context').action(async (flags: ConfigFlags) =>
    (await work()).currentContext(context, flags),
  );
  define('get-contexts [names...]', 'List contexts')
    .option('-o, --output <format>', 'name')
    .option('--no-headers', 'leave the headings out')
    .action(async (names: readonly string[], flags: GetContextsFlags) =>
      (await work()).getContexts(context, names, flags),
    );
  define('use-context <name>', 'Make a context the current one')
    .alias('use')
    .action(async (name: string, flags: ConfigFlags) => (await work()).useContext(context, name, flags));
  define('set-context [name]', 'Change a context, or make one: wherry config set-context --current --namespace=web')
    .option('--current', 'the current context')
    .option('-n, --namespace <name>', 'its namespace')
    .option('--cluster <name>', 'its cluster')
    .option('--user <name>', 'its user')
    .action(async (name: string | undefined, flags: SetContextFlags) =>
      (await work()).setContext(context, name, flags),
    );
  define('rename-context <name> <new-name>', 'Give a context another name').action(
    async (name: string, newName: string, flags: ConfigFlags) =>
      (await work()).renameContext(context, name, newName, flags),
  );
  define('delete-context <name>', 'Forget a context').action(async (name: string, flags: ConfigFlags) =>
    (await work()).deleteContext(context, name, flags),
  );
  define('get-clusters', 'List clusters').action(async (flags: ConfigFlags) =>
    (await work()).getNames(context, 'clusters', flags),
  );
  define('get-users', 'List users').action(async (flags: ConfigFlags) =>
    (await work()).getNames(context, 'users', flags),
  );
};
