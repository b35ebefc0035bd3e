import type { CommandDefinition } from '../context.ts';
import { type TargetFlags, withTarget } from '../kube/options.ts';

export interface TopFlags extends TargetFlags {
  readonly selector?: string;
  readonly fieldSelector?: string;
  readonly sortBy?: string;
  readonly headers: boolean;
  readonly allNamespaces?: boolean;
  readonly containers?: boolean;
}

export const topCommand: CommandDefinition = (parent, context) => {
  const top = parent.command('top').description('Show what nodes and pods use (needs the metrics API)');
  const define = (usage: string, alias: string, description: string) =>
    withTarget(top.command(usage))
      .alias(alias)
      .description(description)
      .argument('[name]')
      .option('-l, --selector <labels>', 'label selector')
      .option('--sort-by <column>', 'cpu or memory')
      .option('--no-headers', 'leave the headings out');
  define('node', 'nodes', 'CPU and memory of nodes').action(async (name: string | undefined, flags: TopFlags) =>
    (await import('./work/top.ts')).topNodes(context, name, flags),
  );
  define('pod', 'pods', 'CPU and memory of pods')
    .option('-A, --all-namespaces', 'across all namespaces')
    .option('--containers', 'of each container')
    .option('--field-selector <fields>', 'field selector')
    .action(async (name: string | undefined, flags: TopFlags) =>
      (await import('./work/top.ts')).topPods(context, name, flags),
    );
};
