import type { CommandDefinition } from '../context.ts';
import { type SelectorFlags, type TargetFlags, type WriteFlags, withTarget, withWrite } from '../kube/options.ts';

export interface CordonFlags extends TargetFlags, WriteFlags {
  readonly selector?: string;
}
export interface DrainFlags extends CordonFlags {
  readonly podSelector?: string;
  readonly ignoreDaemonsets?: boolean;
  readonly deleteEmptydirData?: boolean;
  readonly force?: boolean;
  readonly disableEviction?: boolean;
  readonly gracePeriod: string;
  readonly timeout: string;
  readonly skipWaitForDeleteTimeout: string;
}
export interface TaintFlags extends TargetFlags, SelectorFlags, WriteFlags {
  readonly overwrite?: boolean;
}

export const cordonCommand: CommandDefinition = (parent, context) => define('cordon', parent, context);
export const uncordonCommand: CommandDefinition = (parent, context) => define('uncordon', parent, context);

function define(
  verb: 'cordon' | 'uncordon',
  parent: Parameters<CommandDefinition>[0],
  context: Parameters<CommandDefinition>[1],
): void {
  withWrite(withTarget(parent.command(verb)))
    .description(verb === 'cordon' ? 'Let no new pods come to nodes' : 'Let new pods come to nodes again')
    .argument('[nodes...]', 'names of nodes')
    .option('-l, --selector <labels>', 'nodes with these labels')
    .action(async (nodes: readonly string[], flags: CordonFlags) =>
      (await import('./work/cordon.ts')).cordonAll(context, verb, nodes, flags),
    );
}

export const drainCommand: CommandDefinition = (parent, context) => {
  withWrite(withTarget(parent.command('drain')))
    .description('Empty nodes for maintenance: cordon them and evict their pods, as disruption budgets allow')
    .argument('[nodes...]', 'names of nodes')
    .option('-l, --selector <labels>', 'nodes with these labels')
    .option('--pod-selector <labels>', 'only pods with these labels')
    .option('--ignore-daemonsets', 'leave pods of daemon sets where they are')
    .option('--delete-emptydir-data', 'also pods whose emptyDir volumes are lost with them')
    .option('--force', 'also pods that nothing will create again')
    .option('--disable-eviction', 'delete instead of evicting: disruption budgets are not asked')
    .option('--grace-period <seconds>', 'seconds to end in; -1 is the pod’s own', '-1')
    .option('--timeout <duration>', 'give up after this long; 0s is never', '0s')
    .option(
      '--skip-wait-for-delete-timeout <seconds>',
      'do not wait for pods that have been ending for longer than this; 0 waits for all',
      '0',
    )
    .action(async (nodes: readonly string[], flags: DrainFlags) =>
      (await import('./work/drain.ts')).drain(context, nodes, flags),
    );
};

export const taintCommand: CommandDefinition = (parent, context) => {
  withWrite(withTarget(parent.command('taint')))
    .description('Keep pods off nodes: wherry taint node node-1 gpu=yes:NoSchedule, and gpu- to remove')
    .argument('<type>', 'node')
    .argument('[words...]', 'names of nodes, then key=value:Effect to set and key:Effect- or key- to remove')
    .option('-l, --selector <labels>', 'nodes with these labels')
    .option('--all', 'all nodes')
    .option('--overwrite', 'replace values that are set already')
    .action(async (type: string, words: readonly string[], flags: TaintFlags) =>
      (await import('./work/taint.ts')).taint(context, type, words, flags),
    );
};
