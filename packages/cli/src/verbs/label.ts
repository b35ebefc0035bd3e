import type { CommandDefinition } from '../context.ts';
import {
  type FileFlags,
  type SelectorFlags,
  type TargetFlags,
  type WriteFlags,
  withFiles,
  withSelector,
  withTarget,
  withWrite,
} from '../kube/options.ts';

export interface LabelFlags extends TargetFlags, FileFlags, SelectorFlags, WriteFlags {
  readonly overwrite?: boolean;
  readonly list?: boolean;
  readonly resourceVersion?: string;
  readonly allNamespaces?: boolean;
  readonly fieldSelector?: string;
}

export const labelCommand: CommandDefinition = (parent, context) => define('label', 'labels', parent, context);
export const annotateCommand: CommandDefinition = (parent, context) =>
  define('annotate', 'annotations', parent, context);

function define(
  verb: string,
  field: 'labels' | 'annotations',
  parent: Parameters<CommandDefinition>[0],
  context: Parameters<CommandDefinition>[1],
): void {
  withWrite(withSelector(withFiles(withTarget(parent.command(verb)))))
    .description(`Change ${field}: wherry ${verb} pod web tier=front debug-`)
    .argument('[type]', 'type, or type/name')
    .argument('[words...]', `names, then key=value to set and key- to remove`)
    .option('--overwrite', 'replace values that are set already')
    .option('--list', `show the ${field}`)
    .option('-A, --all-namespaces', 'with --all or a selector: in all namespaces')
    .option('--field-selector <fields>', 'all objects with these fields')
    .option('--resource-version <version>', 'only if the object is still of this version')
    .action(async (type: string | undefined, words: readonly string[], flags: LabelFlags) =>
      (await import('./work/label.ts')).change(context, field, type === undefined ? [] : [type, ...words], flags),
    );
}
