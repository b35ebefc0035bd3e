import type { CommandDefinition } from '../context.ts';
import {
  type FileFlags,
  type SelectorFlags,
  type TargetFlags,
  withFiles,
  withSelector,
  withTarget,
} from '../kube/options.ts';

export interface DeleteFlags extends TargetFlags, FileFlags, SelectorFlags {
  readonly fieldSelector?: string;
  readonly allNamespaces?: boolean;
  readonly gracePeriod: string;
  readonly now?: boolean;
  readonly force?: boolean;
  readonly cascade: string | boolean;
  readonly wait: string | boolean;
  readonly timeout: string;
  readonly ignoreNotFound?: boolean;
  readonly dryRun?: string;
  readonly output?: string;
}

export const deleteCommand: CommandDefinition = (parent, context) => {
  withSelector(withFiles(withTarget(parent.command('delete'))))
    .description('Delete objects by name, selector or manifest, and wait until they are gone')
    .argument('[type]', 'type or type/name')
    .argument('[names...]', 'names of objects of this type')
    .option('--field-selector <fields>', 'all objects with these fields')
    .option('-A, --all-namespaces', 'with --all or a selector: in all namespaces')
    .option('--grace-period <seconds>', 'seconds to end in; -1 is the object’s own', '-1')
    .option('--now', 'grace period of 1 second')
    .option('--force', 'remove at once, without waiting for the node to confirm')
    .option('--cascade <strategy>', 'what becomes of owned objects: background, foreground or orphan', 'background')
    .option('--wait <boolean>', 'wait until the objects are gone', 'true')
    .option('--timeout <duration>', 'how long to wait, for example 1m; 0s is as long as it takes', '0s')
    .option('--ignore-not-found', 'a missing object is no error')
    .option('--dry-run <strategy>', 'none, server or client', 'none')
    .option('-o, --output <format>', 'name prints type/name only')
    .action(async (type: string | undefined, names: readonly string[], flags: DeleteFlags) =>
      (await import('./work/delete.ts')).remove(context, type === undefined ? [] : [type, ...names], flags),
    );
};
