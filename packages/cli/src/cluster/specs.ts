import { join } from 'node:path';
import type { DaemonSpec } from '../daemons/spec.ts';
import { type ClusterConfig, clusterCidrOf, clusterDomain, nodeNetwork, serviceCidr } from './config.ts';
import { hollowSpecs } from './hollow-nodes.ts';
import type { HostPlace } from './host-place.ts';
import type { ClusterLayout } from './layout.ts';
import { nodeSpecs } from './node-specs.ts';
import { kubeconfigFile, LOOPBACK } from './places.ts';
import { serverSpecs } from './server-specs.ts';
import { timings } from './timings.ts';

/** Every process that the cluster consists of, with its whole command line. Nothing here depends on what runs already. */
export function daemonSpecs(config: ClusterConfig, layout: ClusterLayout, host: HostPlace): readonly DaemonSpec[] {
  const { schedulers, controllerManagers } = config.ports;
  return [
    ...serverSpecs(config, layout, host),
    ...schedulers.map((port, index) => scheduler(config, layout, port, index)),
    ...controllerManagers.map((port, index) => controllerManager(config, layout, port, index)),
    ...dns(config, layout),
    ...nodeSpecs(config, layout, host),
    ...hollowSpecs(config, layout),
  ];
}

/** Whether the others are clients of it. */
export function isServer(spec: DaemonSpec): boolean {
  return spec.kind === 'store' || spec.kind === 'apiserver' || spec.kind === 'balancer';
}

const leaderMetric = 'leader_election_master_status';

function scheduler(config: ClusterConfig, layout: ClusterLayout, port: number, index: number): DaemonSpec {
  const kubeconfig = kubeconfigFile(layout, 'scheduler');
  return {
    name: `scheduler-${index + 1}`,
    kind: 'scheduler',
    order: 30 + index,
    flags: [
      `--kubeconfig=${kubeconfig}`,
      `--bind-address=${LOOPBACK}`,
      `--secure-port=${port}`,
      '--leader-elect=true',
      ...timings[config.profile].leaderElection,
    ],
    files: [kubeconfig],
    addresses: [`${LOOPBACK}:${port}`],
    probe: { scheme: 'http', host: LOOPBACK, port, leaderMetric },
  };
}

function controllerManager(config: ClusterConfig, layout: ClusterLayout, port: number, index: number): DaemonSpec {
  const kubeconfig = kubeconfigFile(layout, 'controller-manager');
  const file = (name: string): string => join(layout.pki, name);
  return {
    name: `controller-manager-${index + 1}`,
    kind: 'controller-manager',
    order: 40 + index,
    flags: [
      `--kubeconfig=${kubeconfig}`,
      `--bind-address=${LOOPBACK}`,
      `--secure-port=${port}`,
      '--leader-elect=true',
      '--controllers=*,bootstrapsigner,tokencleaner',
      '--allocate-node-cidrs=true',
      `--cluster-cidr=${clusterCidrOf(config)}`,
      '--node-cidr-mask-size=24',
      `--service-cluster-ip-range=${serviceCidr}`,
      `--root-ca-file=${file('ca.crt')}`,
      `--service-account-private-key-file=${file('sa.key')}`,
      `--cluster-signing-cert-file=${file('ca.crt')}`,
      `--cluster-signing-key-file=${file('ca.key')}`,
      ...timings[config.profile].leaderElection,
      ...timings[config.profile].controllerManager,
    ],
    files: [kubeconfig, file('ca.crt'), file('sa.pub')],
    addresses: [`${LOOPBACK}:${port}`],
    probe: { scheme: 'http', host: LOOPBACK, port, leaderMetric },
  };
}

/** For pods, so there is none where no pod has a network. */
function dns(config: ClusterConfig, layout: ClusterLayout): readonly DaemonSpec[] {
  const address = nodeNetwork(config)?.gateway;
  if (address === undefined) return [];
  const { ports } = config;
  const kubeconfig = kubeconfigFile(layout, 'dns');
  return [
    {
      name: 'dns',
      kind: 'dns',
      order: 50,
      flags: [
        `--kubeconfig=${kubeconfig}`,
        `--bind-address=${address}`,
        `--port=${ports.dns}`,
        `--cluster-domain=${clusterDomain}`,
        `--healthz-bind-address=${LOOPBACK}:${ports.dnsHealth}`,
      ],
      files: [kubeconfig],
      addresses: [`${address}:${ports.dns}`],
      probe: { scheme: 'http', host: LOOPBACK, port: ports.dnsHealth },
    },
  ];
}
