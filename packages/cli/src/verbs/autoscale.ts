import type { CommandDefinition } from '../context.ts';
import {
  type FileFlags,
  type TargetFlags,
  type WriteFlags,
  withFiles,
  withTarget,
  withWrite,
} from '../kube/options.ts';

export interface AutoscaleFlags extends TargetFlags, FileFlags, WriteFlags {
  readonly name?: string;
  readonly min?: string;
  readonly max: string;
  readonly cpuPercent?: string;
}

export const autoscaleCommand: CommandDefinition = (parent, context) => {
  withWrite(withFiles(withTarget(parent.command('autoscale'))))
    .description('Let the number of pods follow their load: wherry autoscale deployment web --min=2 --max=5')
    .argument('[type]', 'type, or type/name')
    .argument('[names...]', 'names of objects of this type')
    .option('--name <name>', 'name of the autoscaler (default: that of the object)')
    .option('--min <count>', 'fewest pods')
    .requiredOption('--max <count>', 'most pods')
    .option('--cpu-percent <percent>', 'CPU to aim at, in percent of what pods request')
    .action(async (type: string | undefined, names: readonly string[], flags: AutoscaleFlags) =>
      (await import('./work/autoscale.ts')).autoscale(context, type === undefined ? [] : [type, ...names], flags),
    );
};
