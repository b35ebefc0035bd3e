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

export interface ScaleFlags extends TargetFlags, FileFlags, SelectorFlags, WriteFlags {
  readonly replicas: string;
  readonly currentReplicas: string;
  readonly resourceVersion?: string;
  readonly timeout: string;
}

export const scaleCommand: CommandDefinition = (parent, context) => {
  withWrite(withSelector(withFiles(withTarget(parent.command('scale')))))
    .description('Set the number of pods: wherry scale deployment/web --replicas=5')
    .argument('[type]', 'type, or type/name')
    .argument('[names...]', 'names of objects of this type')
    .requiredOption('--replicas <count>', 'the new number')
    .option('--current-replicas <count>', 'only if this is the number now; -1 is any', '-1')
    .option('--resource-version <version>', 'only if the object is still of this version')
    .option('--timeout <duration>', 'wait until the pods are there, at most this long; 0s does not wait', '0s')
    .action(async (type: string | undefined, names: readonly string[], flags: ScaleFlags) =>
      (await import('./work/scale.ts')).scale(context, type === undefined ? [] : [type, ...names], flags),
    );
};
