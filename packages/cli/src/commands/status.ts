import { Option } from 'commander';
import { clusterLayout } from '../cluster/layout.ts';
import type { CommandDefinition } from '../context.ts';
import { daemonStatuses } from '../daemons/health.ts';
import { observeDaemons } from '../daemons/records.ts';
import { requireKnown } from '../joining/joined-node.ts';
import { table } from '../terminal/table.ts';
import { type ClusterFlag, clusterCommand } from './options.ts';

interface StatusFlags extends ClusterFlag {
  readonly output?: 'json';
}

export const statusCommand: CommandDefinition = (parent, context) => {
  clusterCommand(parent, 'status', 'show every daemon of a cluster and whether it is well')
    .addOption(new Option('-o, --output <format>', 'output format').choices(['json']))
    .action(async (flags: StatusFlags) => {
      const { terminal } = context;
      const layout = clusterLayout(context.home, flags.name);
      requireKnown(layout);
      const daemons = await daemonStatuses(observeDaemons(layout));
      if (flags.output === 'json') {
        terminal.out(JSON.stringify({ daemons }, undefined, 2));
        return;
      }
      if (daemons.length === 0) {
        terminal.out(`Cluster "${layout.name}" is down: "wherry up" resumes it`);
        return;
      }
      const rows = daemons.map(({ name, kind, pid, addresses, healthy, leader }) => [
        name,
        kind,
        pid === 0 ? '-' : String(pid),
        healthy ? 'healthy' : pid === 0 ? 'gone' : 'unhealthy',
        leader ? 'yes' : '',
        addresses.join(','),
      ]);
      terminal.out(table(['NAME', 'KIND', 'PID', 'STATUS', 'LEADER', 'ADDRESSES'], rows));
    });
};
