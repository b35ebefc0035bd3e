import type { CommandDefinition } from '../context.ts';
import { collect, collectWhole, type TargetFlags, type WriteFlags, withTarget, withWrite } from '../kube/options.ts';

export interface RunFlags extends TargetFlags, WriteFlags {
  readonly image: string;
  readonly port?: string;
  readonly env?: readonly string[];
  readonly labels?: readonly string[];
  readonly annotations?: readonly string[];
  readonly command?: boolean;
  readonly restart: string;
  readonly expose?: boolean;
  readonly stdin?: boolean;
  readonly tty?: boolean;
  readonly attach?: boolean;
  readonly rm?: boolean;
  readonly quiet?: boolean;
  readonly imagePullPolicy?: string;
  readonly privileged?: boolean;
  readonly overrides?: string;
  readonly podRunningTimeout: string;
}

export const runCommand: CommandDefinition = (parent, context) => {
  withWrite(withTarget(parent.command('run')))
    .description('Run one pod: wherry run web --image=example/web:1, run -it --rm shell --image=busybox -- sh')
    .argument('<name>', 'name of the pod')
    .argument('[args...]', 'arguments of the container, after --')
    .requiredOption('--image <image>', 'image to run')
    .option('--port <port>', 'port that the container listens on')
    .option('--env <name=value>', 'a variable; may be repeated', collectWhole)
    .option('-l, --labels <labels>', 'labels, for example app=web (default: run=NAME)', collect)
    .option('--annotations <annotations>', 'annotations; may be repeated', collectWhole)
    .option('--command', 'what follows -- is the command, not its arguments')
    .option('--restart <policy>', 'Always, OnFailure or Never', 'Always')
    .option('--image-pull-policy <policy>', 'Always, IfNotPresent or Never')
    .option('--privileged', 'run with all the node’s rights')
    .option('--overrides <json>', 'fields to put over those of the pod')
    .option('--expose', 'also make a service for --port')
    .option('-i, --stdin', 'pass standard input on')
    .option('-t, --tty', 'a terminal in the container')
    .option('--attach', 'wait for the pod and join its streams (default with -i)')
    .option('--rm', 'delete the pod at the end, with --attach or -i')
    .option('-q, --quiet', 'only what the container writes')
    .option('--pod-running-timeout <duration>', 'how long to wait for the pod to run', '1m')
    .action(async (name: string, args: readonly string[], flags: RunFlags) =>
      (await import('./work/run.ts')).run(context, name, args, flags),
    );
};
