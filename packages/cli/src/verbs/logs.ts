import type { CommandDefinition } from '../context.ts';
import { type TargetFlags, withTarget } from '../kube/options.ts';

export interface LogFlags extends TargetFlags {
  readonly container?: string;
  readonly allContainers?: boolean;
  readonly allPods?: boolean;
  readonly follow?: boolean;
  readonly previous?: boolean;
  readonly timestamps?: boolean;
  readonly tail?: string;
  readonly since?: string;
  readonly sinceTime?: string;
  readonly limitBytes?: string;
  readonly selector?: string;
  readonly prefix?: boolean;
  readonly ignoreErrors?: boolean;
  readonly maxLogRequests: string;
}

export const logsCommand: CommandDefinition = (parent, context) => {
  withTarget(parent.command('logs'))
    .description('Show what a pod’s container wrote: wherry logs web-1, logs deploy/web --tail=20 -f')
    .argument('[target]', 'pod, or type/name of what owns pods')
    .argument('[container]')
    .option('-c, --container <name>', 'which container')
    .option('--all-containers', 'all containers of the pod')
    .option('--all-pods', 'of all pods, with their names before each line')
    .option('-f, --follow', 'go on showing new lines')
    .option('-p, --previous', 'of the container’s previous run')
    .option('--timestamps', 'the time before each line')
    .option('--tail <lines>', 'only the last lines; -1 is all (default: 10 with a selector, else all)')
    .option('--since <duration>', 'only newer than this, for example 5m')
    .option('--since-time <time>', 'only newer than this time, for example 2026-01-31T12:00:00Z')
    .option('--limit-bytes <bytes>', 'at most this much')
    .option('-l, --selector <labels>', 'of all pods with these labels')
    .option('--prefix', 'pod and container before each line')
    .option('--ignore-errors', 'go on with the others when one log ends in an error')
    .option('--max-log-requests <count>', 'logs that are followed at once', '5')
    .action(async (target: string | undefined, container: string | undefined, flags: LogFlags) =>
      (await import('./work/logs.ts')).logs(context, target, {
        ...flags,
        ...(container === undefined ? {} : { container }),
      }),
    );
};
