import type { CommandDefinition } from '../context.ts';
import { collect, type TargetFlags, withTarget } from '../kube/options.ts';

export interface PortForwardFlags extends TargetFlags {
  readonly address: readonly string[];
  readonly podRunningTimeout: string;
}

export const portForwardCommand: CommandDefinition = (parent, context) => {
  withTarget(parent.command('port-forward'))
    .description('Reach ports of a pod from this machine: wherry port-forward svc/web 8080:80')
    .argument('[target]', 'pod, or type/name of what owns pods')
    .argument('[ports...]', 'port, LOCAL:REMOTE, or :REMOTE for any free local port')
    .option('--address <addresses>', 'addresses to listen on (default: localhost)', collect)
    .option('--pod-running-timeout <duration>', 'how long to wait for the pod to run', '1m')
    .action(async (target: string | undefined, ports: readonly string[], flags: PortForwardFlags) =>
      (await import('./work/port-forward.ts')).portForward(context, target, ports, flags),
    );
};
