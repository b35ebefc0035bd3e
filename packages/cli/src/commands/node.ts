import type { CommandDefinition } from '../context.ts';
import { type ClusterFlag, clusterCommand } from './options.ts';

/** `wherry node …`: what happens to whole machines. */
export const nodeCommands: CommandDefinition = (parent, context) => {
  const group = parent.command('node').description('kill and start whole nodes');
  const actions = () => import('../nodes/actions.ts');
  clusterCommand(group, 'kill <node>', 'end a node as a power cut would: kubelet, proxy and all its containers').action(
    async (node: string, flags: ClusterFlag) => (await actions()).killNode(context, flags.name, node),
  );
  clusterCommand(group, 'start <node>', 'bring a killed node back with the same name and address').action(
    async (node: string, flags: ClusterFlag) => (await actions()).startNode(context, flags.name, node),
  );
};
