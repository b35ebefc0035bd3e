import type { CommandDefinition } from '../context.ts';
import {
  collect,
  type FileFlags,
  type TargetFlags,
  type WriteFlags,
  withFiles,
  withTarget,
  withWrite,
} from '../kube/options.ts';

export interface ExposeFlags extends TargetFlags, FileFlags, WriteFlags {
  readonly name?: string;
  readonly port?: string;
  readonly targetPort?: string;
  readonly protocol?: string;
  readonly type?: string;
  readonly selector?: string;
  readonly labels?: readonly string[];
  readonly clusterIp?: string;
  readonly externalIp?: string;
  readonly sessionAffinity?: string;
}

export const exposeCommand: CommandDefinition = (parent, context) => {
  withWrite(withFiles(withTarget(parent.command('expose'))))
    .description('Put a service in front of pods: wherry expose deployment web --port=80 --target-port=8080')
    .argument('[type]', 'type, or type/name')
    .argument('[names...]', 'names of objects of this type')
    .option('--name <name>', 'name of the service (default: that of the object)')
    .option('--port <port>', 'port of the service (default: the ports of the containers)')
    .option('--target-port <port>', 'port of the containers, by number or name')
    .option('--protocol <protocol>', 'TCP, UDP or SCTP')
    .option('--type <type>', 'ClusterIP, NodePort, LoadBalancer or ExternalName')
    .option('--selector <labels>', 'pods to choose (default: those of the object)')
    .option('-l, --labels <labels>', 'labels of the service', collect)
    .option('--cluster-ip <address>', 'address to take, or None')
    .option('--external-ip <address>', 'address outside that leads here')
    .option('--session-affinity <kind>', 'None or ClientIP')
    .action(async (type: string | undefined, names: readonly string[], flags: ExposeFlags) =>
      (await import('./work/expose.ts')).expose(context, type === undefined ? [] : [type, ...names], flags),
    );
};
