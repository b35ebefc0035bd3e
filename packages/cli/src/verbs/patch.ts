import type { CommandDefinition } from '../context.ts';
import {
  type FileFlags,
  type TargetFlags,
  type WriteFlags,
  withFiles,
  withTarget,
  withWrite,
} from '../kube/options.ts';

export interface PatchFlags extends TargetFlags, FileFlags, WriteFlags {
  readonly patch?: string;
  readonly patchFile?: string;
  readonly type: string;
  readonly subresource?: string;
}

export const patchCommand: CommandDefinition = (parent, context) => {
  withWrite(withFiles(withTarget(parent.command('patch'))))
    .description(`Change fields: wherry patch deploy web -p '{"spec":{"replicas":2}}'`)
    .argument('[type]', 'type, or type/name')
    .argument('[names...]', 'names of objects of this type')
    .option('-p, --patch <patch>', 'the patch, in JSON or YAML')
    .option('--patch-file <file>', 'a file with the patch')
    .option('--type <type>', 'json, merge or strategic', 'strategic')
    .option('--subresource <name>', 'status or scale, instead of the object itself')
    .action(async (type: string | undefined, names: readonly string[], flags: PatchFlags) =>
      (await import('./work/patch.ts')).patch(context, type === undefined ? [] : [type, ...names], flags),
    );
};
