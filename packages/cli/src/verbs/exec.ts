import type { CommandDefinition } from '../context.ts';
import { type TargetFlags, withTarget } from '../kube/options.ts';

export interface ExecFlags extends TargetFlags {
  readonly container?: string;
  readonly stdin?: boolean;
  readonly tty?: boolean;
  readonly quiet?: boolean;
  readonly podRunningTimeout?: string;
}

export const execCommand: CommandDefinition = (parent, context) => {
  withTarget(parent.command('exec'))
    .description('Run a command in a container: wherry exec -it web-1 -- sh')
    .argument('<target>', 'pod, or type/name of what owns pods')
    .argument('[command...]', 'the command, after --')
    .option('-c, --container <name>', 'which container')
    .option('-i, --stdin', 'pass standard input on')
    .option('-t, --tty', 'a terminal in the container')
    .option('-q, --quiet', 'only what the command writes')
    .action(async (target: string, command: readonly string[], flags: ExecFlags) =>
      (await import('./work/exec.ts')).exec(context, target, command, flags),
    );
};

export const attachCommand: CommandDefinition = (parent, context) => {
  withTarget(parent.command('attach'))
    .description('Join the streams of a container’s running process')
    .argument('<target>', 'pod, or type/name of what owns pods')
    .option('-c, --container <name>', 'which container')
    .option('-i, --stdin', 'pass standard input on')
    .option('-t, --tty', 'the container’s terminal')
    .option('-q, --quiet', 'only what the process writes')
    .action(async (target: string, flags: ExecFlags) =>
      (await import('./work/exec.ts')).attach(context, target, flags),
    );
};
