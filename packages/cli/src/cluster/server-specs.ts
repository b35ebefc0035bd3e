import { join } from 'node:path';
import type { DaemonSpec } from '../daemons/spec.ts';
import { type ClusterConfig, clusterDomain, nodeNetwork, type StorePorts, serviceCidr } from './config.ts';
import type { HostPlace } from './host-place.ts';
import type { ClusterLayout } from './layout.ts';
import { LOOPBACK, serverAddresses } from './places.ts';
import { timings } from './timings.ts';

const url = (port: number): string => `https://${LOOPBACK}:${port}`;

/** What the others are clients of: members of the store, API servers, and the balancer in front of several. */
export function serverSpecs(config: ClusterConfig, layout: ClusterLayout, host: HostPlace): readonly DaemonSpec[] {
  const { stores } = config.ports;
  const addresses = serverAddresses(config);
  return [
    ...stores.map((ports, index) => store(stores, ports, layout, index)),
    ...(addresses.length === 0
      ? [apiserver(config, layout, onlyDoor(config, host), 0)]
      : addresses.map((address, index) => apiserver(config, layout, balancedDoor(config, address), index))),
    ...(addresses.length === 0 ? [] : [balancer(config, layout, addresses)]),
  ];
}

const storeName = (index: number): string => `store-${index + 1}`;

function store(all: readonly StorePorts[], ports: StorePorts, layout: ClusterLayout, index: number): DaemonSpec {
  const file = (name: string): string => join(layout.pki, 'etcd', name);
  const name = storeName(index);
  return {
    name,
    kind: 'store',
    order: index,
    flags: [
      `--name=${name}`,
      `--data-dir=${join(layout.data, name)}`,
      `--listen-client-urls=${url(ports.client)}`,
      `--advertise-client-urls=${url(ports.client)}`,
      `--listen-peer-urls=${url(ports.peer)}`,
      `--initial-advertise-peer-urls=${url(ports.peer)}`,
      `--initial-cluster=${all.map(({ peer }, member) => `${storeName(member)}=${url(peer)}`).join(',')}`,
      `--initial-cluster-token=wherry-${layout.name}`,
      `--listen-metrics-urls=http://${LOOPBACK}:${ports.metrics}`,
      `--cert-file=${file('server.crt')}`,
      `--key-file=${file('server.key')}`,
      `--trusted-ca-file=${file('ca.crt')}`,
      `--peer-cert-file=${file('peer.crt')}`,
      `--peer-key-file=${file('peer.key')}`,
      `--peer-trusted-ca-file=${file('ca.crt')}`,
    ],
    files: [file('server.crt'), file('peer.crt'), file('ca.crt')],
    addresses: [`${LOOPBACK}:${ports.client}`, `${LOOPBACK}:${ports.peer}`],
    probe: { scheme: 'http', host: LOOPBACK, port: ports.metrics, leaderMetric: 'etcd_server_is_leader' },
  };
}

/** Where an API server listens. */
interface Door {
  readonly bind: string;
  readonly port: number;
  /** Its place among the endpoints of default/kubernetes; never loopback, which pods cannot mean. */
  readonly advertised: string;
  readonly addresses: readonly string[];
}

function onlyDoor(config: ClusterConfig, host: HostPlace): Door {
  const gateway = nodeNetwork(config)?.gateway;
  return {
    bind: '0.0.0.0',
    port: config.ports.apiserver,
    advertised: gateway ?? host.address ?? LOOPBACK,
    addresses: [LOOPBACK, ...(gateway === undefined ? [] : [gateway])],
  };
}

const balancedDoor = (config: ClusterConfig, address: string): Door => ({
  bind: address,
  port: config.ports.balanced,
  advertised: address,
  addresses: [address],
});

function apiserver(config: ClusterConfig, layout: ClusterLayout, door: Door, index: number): DaemonSpec {
  const { ports } = config;
  const file = (name: string): string => join(layout.pki, name);
  const health = (port: number | undefined): string => `http://${LOOPBACK}:${port}/healthz`;
  return {
    name: `apiserver-${index + 1}`,
    kind: 'apiserver',
    order: 10 + index,
    flags: [
      `--bind-address=${door.bind}`,
      `--secure-port=${door.port}`,
      `--advertise-address=${door.advertised}`,
      `--etcd-servers=${ports.stores.map(({ client }) => url(client)).join(',')}`,
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
      '--enable-bootstrap-token-auth=true',
      `--kubelet-certificate-authority=${file('ca.crt')}`,
      `--kubelet-client-certificate=${file('apiserver-kubelet-client.crt')}`,
      `--kubelet-client-key=${file('apiserver-kubelet-client.key')}`,
      `--scheduler-healthz-url=${health(ports.schedulers[0])}`,
      `--controller-manager-healthz-url=${health(ports.controllerManagers[0])}`,
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
    addresses: door.addresses.map((host) => `${host}:${door.port}`),
    probe: { scheme: 'https', host: door.addresses[0] ?? LOOPBACK, port: door.port },
  };
}

function balancer(config: ClusterConfig, layout: ClusterLayout, servers: readonly string[]): DaemonSpec {
  const { ports } = config;
  const authority = join(layout.pki, 'ca.crt');
  const gateway = nodeNetwork(config)?.gateway;
  return {
    name: 'balancer',
    kind: 'balancer',
    order: 20,
    flags: [
      `--listen=0.0.0.0:${ports.apiserver}`,
      ...servers.map((address) => `--backend=${address}:${ports.balanced}`),
      `--backend-ca-file=${authority}`,
      `--healthz-bind-address=${LOOPBACK}:${ports.balancerHealth}`,
    ],
    files: [authority],
    addresses: [LOOPBACK, ...(gateway === undefined ? [] : [gateway])].map((host) => `${host}:${ports.apiserver}`),
    probe: { scheme: 'http', host: LOOPBACK, port: ports.balancerHealth },
  };
}
