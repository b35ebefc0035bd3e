import type { CommandDefinition } from '../context.ts';
import {
  type FileFlags,
  type TargetFlags,
  type WriteFlags,
  withFiles,
  withTarget,
  withWrite,
} from '../kube/options.ts';

export interface ReplaceFlags extends TargetFlags, FileFlags, WriteFlags {
  readonly force?: boolean;
  readonly gracePeriod: string;
  readonly saveConfig?: boolean;
  readonly validate: string | boolean;
  readonly subresource?: string;
  readonly timeout: string;
}

export const replaceCommand: CommandDefinition = (parent, context) => {
  withWrite(withFiles(withTarget(parent.command('replace'))))
    .description('Put manifests in the place of the objects that there are')
    .option('--force', 'delete the objects and create them anew')
    .option('--grace-period <seconds>', 'with --force: seconds to end in; -1 is the object’s own', '-1')
    .option('--timeout <duration>', 'with --force: how long to wait for the deletion; 0s is as long as it takes', '0s')
    .option('--save-config', 'note the manifest in the object, as apply does')
    .option('--subresource <name>', 'status, instead of the object itself')
    .option('--validate <strategy>', 'what becomes of unknown fields: strict, warn or ignore', 'strict')
    .action(async (flags: ReplaceFlags) => (await import('./work/replace.ts')).replace(context, flags));
};
