import { Option } from 'commander';
import type { UpFlags } from '../cluster/config.ts';
import type { CommandDefinition } from '../context.ts';
import { type ClusterFlag, clusterCommand, parseCount, parsePort } from './options.ts';

export const upCommand: CommandDefinition = (parent, context) => {
  clusterCommand(parent, 'up', 'start a cluster on this machine, or resume it')
    .option('--nodes <count>', 'virtual nodes; 0 starts a control plane alone, without Docker (default: 3)', parseCount)
    .option('--hollow-nodes <count>', 'simulated nodes beside them, in one process (default: 0)', parseCount)
    .option('--stores <count>', 'members of the store: 1, 3 or 5, for good (default: 1)', parseCount)
    .option('--apiservers <count>', 'API servers; several stand behind a balancer (default: 1)', parseCount)
    .option('--schedulers <count>', 'schedulers (default: 1)', parseCount)
    .option('--controller-managers <count>', 'controller-managers (default: 1)', parseCount)
    .addOption(
      new Option('--runtime <kind>', 'real containers, or pretended ones (default: docker)').choices([
        'docker',
        'hollow',
      ]),
    )
    .addOption(new Option('--profile <name>', 'timings, see below (default: upstream)').choices(['upstream', 'fast']))
    .option(
      '--port <port>',
      'port of the API server, or of the balancer (default: 6443, or the next free one)',
      parsePort,
    )
    .addHelpText('after', profiles)
    .action(async (flags: ClusterFlag & UpFlags) => {
      const { runUp } = await import('../cluster/run-up.ts');
      await runUp(context, flags.name, flags);
    });
};

const profiles = `
Profiles:
  upstream  Kubernetes' own timings: a silent node is NotReady after 50 s, its pods are evicted after 300 s more;
            a dead scheduler or controller-manager is replaced by a standby after 15 s.
  fast      For tests and for watching: NotReady after 4 s (checked every 0.5 s), evicted after 2 s more,
            node leases renewed every second, node status every second; standbys take over after 6 s.

A second "wherry up" is harmless: it starts what does not run, restarts what changed, and leaves the rest alone.
Flags that are not given stay as they were.`;
