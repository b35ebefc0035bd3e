import { Option } from 'commander';
import type { CommandDefinition } from '../context.ts';
import type { JoinFlags } from '../joining/join.ts';
import { collectWhole } from '../kube/options.ts';
import { clusterOption } from './options.ts';

/** `wherry join`: as kubeadm's, for workers. */
export const joinCommand: CommandDefinition = (parent, context) => {
  parent
    .command('join <host:port>')
    .description('make this host a node of a cluster: "wherry token create --print-join-command" there says how')
    .addOption(clusterOption())
    .requiredOption('--token <token>', 'bootstrap token, [a-z0-9]{6}.[a-z0-9]{16}')
    .option(
      '--discovery-token-ca-cert-hash <hash>',
      "sha256:… of the public key of the cluster's authority; may be repeated",
      collectWhole,
      [],
    )
    .option(
      '--discovery-token-unsafe-skip-ca-verification',
      'trust whoever knows the token, without --discovery-token-ca-cert-hash',
    )
    .option('--discovery-timeout <duration>', 'how long to try to reach the cluster', '5m0s')
    .option('--node-name <name>', "name of the node (default: the host's)")
    .option('--node-ip <address>', 'address of the node (default: that from which it reaches the API server)')
    .addOption(
      new Option('--runtime <runtime>', 'real containers, or simulated ones')
        .choices(['docker', 'hollow'])
        .default('docker'),
    )
    .option('--container-runtime-endpoint <url>', 'the Docker engine (default: $DOCKER_HOST, else the usual socket)')
    .option('--kubelet-arg <name=value>', 'further flag of the kubelet; may be repeated', collectWhole, [])
    .option('--proxy-arg <name=value>', 'further flag of the proxy; may be repeated', collectWhole, [])
    .option('--out <folder>', 'only write what a kubelet needs to this folder, and start nothing: for systemd')
    .action(async (endpoint: string, flags: JoinFlags) => {
      const { join } = await import('../joining/join.ts');
      await join(context, endpoint, flags);
    });
};
