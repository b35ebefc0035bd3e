import type { CommandDefinition } from '../context.ts';
import { type FileFlags, type TargetFlags, withFiles, withTarget } from '../kube/options.ts';

export interface EditFlags extends TargetFlags, FileFlags {
  readonly output: string;
  readonly subresource?: string;
  readonly validate: string | boolean;
}

export const editCommand: CommandDefinition = (parent, context) => {
  withFiles(withTarget(parent.command('edit')))
    .description('Change objects in your editor ($KUBE_EDITOR, $EDITOR, else vi)')
    .argument('[type]', 'type, or type/name')
    .argument('[names...]', 'names of objects of this type')
    .option('-o, --output <format>', 'yaml or json', 'yaml')
    .option('--subresource <name>', 'status, instead of the object itself')
    .option('--validate <strategy>', 'what becomes of unknown fields: strict, warn or ignore', 'strict')
    .action(async (type: string | undefined, names: readonly string[], flags: EditFlags) =>
      (await import('./work/edit.ts')).edit(context, type === undefined ? [] : [type, ...names], flags),
    );
};
