import type { CommandDefinition } from '../context.ts';
import {
  type FileFlags,
  type TargetFlags,
  type WriteFlags,
  withFiles,
  withTarget,
  withWrite,
} from '../kube/options.ts';

export interface ApplyFlags extends TargetFlags, FileFlags, WriteFlags {
  readonly selector?: string;
  readonly validate: string | boolean;
  readonly overwrite?: boolean;
}

export const applyCommand: CommandDefinition = (parent, context) => {
  withWrite(withFiles(withTarget(parent.command('apply'))))
    .description('Make the cluster be as the manifests say: creates what is missing, patches what differs')
    .option('-l, --selector <labels>', 'only those of the manifests with these labels')
    .option('--validate <strategy>', 'what becomes of unknown fields: strict, warn or ignore', 'strict')
    .action(async (flags: ApplyFlags) => (await import('./work/apply.ts')).apply(context, flags));
};
