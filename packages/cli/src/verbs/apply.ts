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
  readonly serverSide?: boolean;
  readonly forceConflicts?: boolean;
  readonly fieldManager?: string;
}

export const applyCommand: CommandDefinition = (parent, context) => {
  withWrite(withFiles(withTarget(parent.command('apply'))))
    .description('Make the cluster be as the manifests say: creates what is missing, patches what differs')
    .option('-l, --selector <labels>', 'only those of the manifests with these labels')
    .option('--validate <strategy>', 'what becomes of unknown fields: strict, warn or ignore', 'strict')
    .option('--server-side', 'let the server merge, and note who owns which fields')
    .option('--force-conflicts', 'with --server-side: take fields from those who own them')
    .action(async (flags: ApplyFlags) => (await import('./work/apply.ts')).apply(context, flags));
};
