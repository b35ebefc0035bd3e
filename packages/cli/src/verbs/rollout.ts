import type { CommandDefinition } from '../context.ts';
import {
  type FileFlags,
  type SelectorFlags,
  type TargetFlags,
  type WriteFlags,
  withFiles,
  withTarget,
  withWrite,
} from '../kube/options.ts';

export interface RolloutFlags extends TargetFlags, FileFlags, SelectorFlags, WriteFlags {
  readonly toRevision: string;
  readonly revision: string;
  readonly watch: string | boolean;
  readonly timeout: string;
}
type Verb = 'status' | 'history' | 'undo' | 'restart' | 'pause' | 'resume';

export const rolloutCommand: CommandDefinition = (parent, context) => {
  const rollout = parent.command('rollout').description('Watch, pause, restart or take back the rollout of a workload');
  const define = (name: Verb, description: string) =>
    withFiles(withTarget(rollout.command(name)))
      .description(description)
      .option('-l, --selector <labels>', 'all objects with these labels')
      .argument('[type]', 'type, or type/name')
      .argument('[names...]', 'names of objects of this type')
      .action(async (type: string | undefined, names: readonly string[], flags: RolloutFlags) =>
        (await import('./work/rollout.ts')).rollout(context, name, type === undefined ? [] : [type, ...names], flags),
      );
  define('status', 'Wait until the rollout is complete')
    .option('-w, --watch <boolean>', 'wait; false says where it stands and ends', 'true')
    .option('--timeout <duration>', 'give up after this long, for example 2m; 0s is never', '0s');
  define('history', 'Show the revisions of a workload')
    .option('--revision <number>', 'show this revision’s pod template', '0')
    .option('-o, --output <format>', 'json or yaml: the objects that hold the revisions');
  withWrite(define('undo', 'Go back to an earlier revision')).option(
    '--to-revision <number>',
    'which; 0 is the one before',
    '0',
  );
  withWrite(define('restart', 'Replace all pods, one batch after the other'));
  withWrite(define('pause', 'Let changes of a deployment collect without rolling out'));
  withWrite(define('resume', 'Roll out what was collected'));
};
