import { join } from 'node:path';
import { nodeServingName } from '@wherry/pki';
import type { DaemonSpec } from '../daemons/spec.ts';
import { anchorName } from '../nodes/anchor-name.ts';
import { type ClusterConfig, clusterCidr, clusterDomain, dnsIp, nodeNames, serviceCidr } from './config.ts';
import type { HostPlace } from './host-place.ts';
import type { ClusterLayout } from './layout.ts';
import { nodeAddress } from './subnet.ts';
import { timings } from './timings.ts';

/** Where daemons on this host reach each other. */
const LOOPBACK = '127.0.0.1';

/** Every process that the cluster consists of, with its whole command line. Nothing here depends on what runs already. */
export function daemonSpecs(config: ClusterConfig, layout: ClusterLayout, host: HostPlace): readonly DaemonSpec[] {
  const controlPlane = [
    store(config, layout),
    apiserver(config, layout, host),
    scheduler(config, layout),
    controllerManager(config, layout),
  ];
  const nodes = nodeNames(config)
    .map((name, index) => placeOf(config, name, index))
    .flatMap((place) => [kubelet(config, layout, host, place), ...proxies(layout, place)]);
  return [...controlPlane, ...(config.subnet === undefined ? [] : [dns(config, layout)]), ...nodes];
}

/** Whether the others are clients of it. */
export function isServer(spec: DaemonSpec): boolean {
  return spec.kind === 'store' || spec.kind === 'apiserver';
}

/** Where nodes reach the API server: through their own network's gateway, which is this host. */
export function nodeServer(config: ClusterConfig): string {
  return `https://${config.subnet?.gateway ?? LOOPBACK}:${config.ports.apiserver}`;
}

export function localServer(config: ClusterConfig): string {
  return `https://${LOOPBACK}:${config.ports.apiserver}`;
}

export function kubeconfigFile(layout: ClusterLayout, identity: string): string {
  return join(layout.kubeconfigs, `${identity}.conf`);
}

function store({ ports }: ClusterConfig, layout: ClusterLayout): DaemonSpec {
  const file = (name: string): string => join(layout.pki, 'etcd', name);
  const clientUrl = `https://${LOOPBACK}:${ports.storeClient}`;
  const peerUrl = `https://${LOOPBACK}:${ports.storePeer}`;
  return {
    name: 'store-1',
    kind: 'store',
    order: 0,
    flags: [
      '--name=store-1',
      `--data-dir=${join(layout.data, 'store-1')}`,
      `--listen-client-urls=${clientUrl}`,
      `--advertise-client-urls=${clientUrl}`,
      `--listen-peer-urls=${peerUrl}`,
      `--initial-advertise-peer-urls=${peerUrl}`,
      `--initial-cluster=store-1=${peerUrl}`,
      `--listen-metrics-urls=http://${LOOPBACK}:${ports.storeMetrics}`,
      `--cert-file=${file('server.crt')}`,
      `--key-file=${file('server.key')}`,
      `--trusted-ca-file=${file('ca.crt')}`,
      `--peer-cert-file=${file('peer.crt')}`,
      `--peer-key-file=${file('peer.key')}`,
      `--peer-trusted-ca-file=${file('ca.crt')}`,
    ],
    files: [file('server.crt'), file('peer.crt'), file('ca.crt')],
    addresses: [`${LOOPBACK}:${ports.storeClient}`, `${LOOPBACK}:${ports.storePeer}`],
    probe: { scheme: 'http', host: LOOPBACK, port: ports.storeMetrics, leaderMetric: 'etcd_server_is_leader' },
  };
}

function apiserver(config: ClusterConfig, layout: ClusterLayout, host: HostPlace): DaemonSpec {
  const { ports, subnet } = config;
  const file = (name: string): string => join(layout.pki, name);
  return {
    name: 'apiserver-1',
    kind: 'apiserver',
    order: 1,
    flags: [
      '--bind-address=0.0.0.0',
      `--secure-port=${ports.apiserver}`,
      `--advertise-address=${subnet?.gateway ?? host.address ?? LOOPBACK}`,
      `--etcd-servers=https://${LOOPBACK}:${ports.storeClient}`,
      `--etcd-cafile=${file('etcd/ca.crt')}`,
      `--etcd-certfile=${file('apiserver-etcd-client.crt')}`,
      `--etcd-keyfile=${file('apiserver-etcd-client.key')}`,
      `--client-ca-file=${file('ca.crt')}`,
      `--tls-cert-file=${file('apiserver.crt')}`,
      `--tls-private-key-file=${file('apiserver.key')}`,
      `--service-account-key-file=${file('sa.pub')}`,
      `--service-account-signing-key-file=${file('sa.key')}`,
      `--service-account-issuer=https://kubernetes.default.svc.${clusterDomain}`,
      `--service-cluster-ip-range=${serviceCidr}`,
      '--authorization-mode=Node,RBAC',
      `--kubelet-certificate-authority=${file('ca.crt')}`,
      `--kubelet-client-certificate=${file('apiserver-kubelet-client.crt')}`,
      `--kubelet-client-key=${file('apiserver-kubelet-client.key')}`,
      `--scheduler-healthz-url=http://${LOOPBACK}:${ports.scheduler}/healthz`,
      `--controller-manager-healthz-url=http://${LOOPBACK}:${ports.controllerManager}/healthz`,
      ...timings[config.profile].apiserver,
    ],
    files: [
      'apiserver.crt',
      'ca.crt',
      'etcd/ca.crt',
      'apiserver-etcd-client.crt',
      'apiserver-kubelet-client.crt',
      'sa.pub',
    ].map(file),
    addresses: [...new Set([LOOPBACK, subnet?.gateway ?? LOOPBACK])].map((host) => `${host}:${ports.apiserver}`),
    probe: { scheme: 'https', host: LOOPBACK, port: ports.apiserver },
  };
}

function scheduler({ ports }: ClusterConfig, layout: ClusterLayout): DaemonSpec {
  const kubeconfig = kubeconfigFile(layout, 'scheduler');
  return {
    name: 'scheduler-1',
    kind: 'scheduler',
    order: 2,
    flags: [
      `--kubeconfig=${kubeconfig}`,
      `--bind-address=${LOOPBACK}`,
      `--secure-port=${ports.scheduler}`,
      '--leader-elect=true',
    ],
    files: [kubeconfig],
    addresses: [`${LOOPBACK}:${ports.scheduler}`],
    probe: { scheme: 'http', host: LOOPBACK, port: ports.scheduler, leaderMetric: 'leader_election_master_status' },
  };
}

function controllerManager(config: ClusterConfig, layout: ClusterLayout): DaemonSpec {
  const kubeconfig = kubeconfigFile(layout, 'controller-manager');
  const file = (name: string): string => join(layout.pki, name);
  const port = config.ports.controllerManager;
  return {
    name: 'controller-manager-1',
    kind: 'controller-manager',
    order: 3,
    flags: [
      `--kubeconfig=${kubeconfig}`,
      `--bind-address=${LOOPBACK}`,
      `--secure-port=${port}`,
      '--leader-elect=true',
      '--allocate-node-cidrs=true',
      `--cluster-cidr=${clusterCidr}`,
      '--node-cidr-mask-size=24',
      `--service-cluster-ip-range=${serviceCidr}`,
      `--root-ca-file=${file('ca.crt')}`,
      `--service-account-private-key-file=${file('sa.key')}`,
      `--cluster-signing-cert-file=${file('ca.crt')}`,
      `--cluster-signing-key-file=${file('ca.key')}`,
      ...timings[config.profile].controllerManager,
    ],
    files: [kubeconfig, file('ca.crt'), file('sa.pub')],
    addresses: [`${LOOPBACK}:${port}`],
    probe: { scheme: 'http', host: LOOPBACK, port, leaderMetric: 'leader_election_master_status' },
  };
}

function dns({ ports, subnet }: ClusterConfig, layout: ClusterLayout): DaemonSpec {
  const kubeconfig = kubeconfigFile(layout, 'dns');
  const address = subnet?.gateway ?? LOOPBACK;
  return {
    name: 'dns',
    kind: 'dns',
    order: 4,
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
  };
}

const KUBELET_PORT = 10250;
const KUBELET_HEALTH_PORT = 10248;
const PROXY_HEALTH_PORT = 10256;
const PROXY_METRICS_PORT = 10249;

/** A node and where it lives: an address of its own, or, when it is hollow, ports of its own on this host. */
interface NodePlace {
  readonly name: string;
  readonly order: number;
  readonly isVirtual: boolean;
  readonly address: string;
  readonly bind: string;
  readonly port: number;
  readonly healthPort: number;
}

function placeOf(config: ClusterConfig, name: string, index: number): NodePlace {
  const common = { name, order: 10 + 2 * index };
  if (config.runtime === 'docker' && config.subnet !== undefined) {
    const address = nodeAddress(config.subnet, index);
    return {
      ...common,
      isVirtual: true,
      address,
      bind: '0.0.0.0',
      port: KUBELET_PORT,
      healthPort: KUBELET_HEALTH_PORT,
    };
  }
  const port = config.ports.hollowNodes + 2 * index;
  return { ...common, isVirtual: false, address: LOOPBACK, bind: LOOPBACK, port, healthPort: port + 1 };
}

function kubelet(config: ClusterConfig, layout: ClusterLayout, host: HostPlace, place: NodePlace): DaemonSpec {
  const kubeconfig = kubeconfigFile(layout, place.name);
  const file = (name: string): string => join(layout.pki, name);
  const serving = file(nodeServingName(place.name));
  return {
    name: `kubelet-${place.name}`,
    kind: 'kubelet',
    order: place.order,
    node: place.name,
    ...(place.isVirtual ? { namespace: place.name } : {}),
    flags: [
      `--kubeconfig=${kubeconfig}`,
      `--hostname-override=${place.name}`,
      `--node-ip=${place.address}`,
      `--root-dir=${join(layout.data, place.name)}`,
      `--runtime=${config.runtime}`,
      ...(place.isVirtual
        ? [
            `--container-runtime-endpoint=${host.dockerHost}`,
            `--node-container=${anchorName(config.name, place.name)}`,
            `--cluster-cidr=${clusterCidr}`,
          ]
        : []),
      `--cluster-name=${config.name}`,
      `--cluster-dns=${dnsIp}`,
      `--cluster-domain=${clusterDomain}`,
      `--client-ca-file=${file('ca.crt')}`,
      `--tls-cert-file=${serving}.crt`,
      `--tls-private-key-file=${serving}.key`,
      `--address=${place.bind}`,
      `--port=${place.port}`,
      `--healthz-bind-address=${place.bind}`,
      `--healthz-port=${place.healthPort}`,
      `--capacity-divisor=${config.nodes}`,
      ...timings[config.profile].kubelet,
    ],
    files: [kubeconfig, `${serving}.crt`, file('ca.crt')],
    addresses: [`${place.address}:${place.port}`],
    probe: { scheme: 'http', host: place.address, port: place.healthPort },
  };
}

/** Hollow nodes have none: their pods have no addresses that traffic could go to. */
function proxies(layout: ClusterLayout, place: NodePlace): readonly DaemonSpec[] {
  if (!place.isVirtual) return [];
  const kubeconfig = kubeconfigFile(layout, 'proxy');
  return [
    {
      name: `proxy-${place.name}`,
      kind: 'proxy',
      order: place.order + 1,
      node: place.name,
      namespace: place.name,
      flags: [
        `--kubeconfig=${kubeconfig}`,
        `--hostname-override=${place.name}`,
        '--proxy-mode=nftables',
        `--cluster-cidr=${clusterCidr}`,
        `--healthz-bind-address=${place.bind}:${PROXY_HEALTH_PORT}`,
        `--metrics-bind-address=${place.bind}:${PROXY_METRICS_PORT}`,
      ],
      files: [kubeconfig],
      addresses: [`${place.address}:${PROXY_HEALTH_PORT}`],
      probe: { scheme: 'http', host: place.address, port: PROXY_HEALTH_PORT },
    },
  ];
}
