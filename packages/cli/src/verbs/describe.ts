import type { CommandDefinition } from '../context.ts';
import { type FileFlags, type TargetFlags, withFiles, withTarget } from '../kube/options.ts';

export interface DescribeFlags extends TargetFlags, FileFlags {
  readonly selector?: string;
  readonly allNamespaces?: boolean;
  readonly showEvents: string | boolean;
}

export const describeCommand: CommandDefinition = (parent, context) => {
  withFiles(withTarget(parent.command('describe')))
    .description('Tell all about objects, with what happened to them')
    .argument('[type]', 'type, or type/name')
    .argument('[names...]', 'names, or what names begin with')
    .option('-l, --selector <labels>', 'label selector')
    .option('-A, --all-namespaces', 'across all namespaces')
    .option('--show-events <boolean>', 'also what happened', 'true')
    .action(async (type: string | undefined, names: readonly string[], flags: DescribeFlags) =>
      (await import('./work/describe.ts')).describeAll(context, type === undefined ? [] : [type, ...names], flags),
    );
};
