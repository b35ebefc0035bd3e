import type { CommandDefinition } from '../context.ts';
import { checkedOutput, collect, type FileFlags, type TargetFlags, withFiles, withTarget } from '../kube/options.ts';

export interface GetFlags extends TargetFlags, FileFlags {
  readonly allNamespaces?: boolean;
  readonly output?: string;
  readonly selector?: string;
  readonly fieldSelector?: string;
  readonly showLabels?: boolean;
  readonly showKind?: boolean;
  readonly showManagedFields?: boolean;
  readonly labelColumns?: readonly string[];
  readonly headers: boolean;
  readonly watch?: boolean;
  readonly watchOnly?: boolean;
  readonly outputWatchEvents?: boolean;
  readonly sortBy?: string;
  readonly ignoreNotFound?: boolean;
  readonly raw?: string;
}

const OUTPUT_HELP =
  'wide, json, yaml, name, jsonpath=TEMPLATE, jsonpath-as-json=, jsonpath-file=, custom-columns=HEADING:PATH,… or custom-columns-file=';

export const getCommand: CommandDefinition = (parent, context) => {
  withFiles(withTarget(parent.command('get')))
    .description('Show objects: wherry get pods, get deploy/web -o yaml, get all -A')
    .argument('[type]', 'type, type/name, several types after commas, or a category such as all')
    .argument('[names...]', 'names of objects of this type')
    .option('-A, --all-namespaces', 'across all namespaces')
    .option('-o, --output <format>', OUTPUT_HELP, checkedOutput)
    .option('-l, --selector <labels>', 'label selector, for example app=web,tier!=db')
    .option('--field-selector <fields>', 'field selector, for example status.phase=Running')
    .option('--show-labels', 'add a column with the labels')
    .option('--show-kind', 'put the type before each name')
    .option('--show-managed-fields', 'keep metadata.managedFields in json and yaml')
    .option('-L, --label-columns <keys>', 'add columns with these labels', collect)
    .option('--no-headers', 'leave the headings out')
    .option('-w, --watch', 'go on showing changes')
    .option('--watch-only', 'show changes without what there is now')
    .option('--output-watch-events', 'with --watch: say of each whether it was added, modified or deleted')
    .option('--sort-by <path>', 'sort by a JSONPath, for example .metadata.name')
    .option('--ignore-not-found', 'a missing object is no error')
    .option('--raw <path>', 'print what the server answers at this path')
    .action(async (type: string | undefined, names: readonly string[], flags: GetFlags) =>
      (await import('./work/get.ts')).get(context, type === undefined ? [] : [type, ...names], flags),
    );
};
