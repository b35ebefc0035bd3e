import { join } from 'node:path';
import { nodeServingName } from '@wherry/pki';
import type { DaemonSpec } from '../daemons/spec.ts';
import { anchorName } from '../nodes/anchor-name.ts';
import { type ClusterConfig, clusterCidrOf, clusterDomain, dnsIp, nodeNames, nodeNetwork } from './config.ts';
import type { HostPlace } from './host-place.ts';
import type { ClusterLayout } from './layout.ts';
import { kubeconfigFile, LOOPBACK } from './places.ts';
import { nodeAddress } from './subnet.ts';
import { timings } from './timings.ts';

/** First position of nodes' daemons in listings. */
const ORDER = 100;

export function nodeSpecs(config: ClusterConfig, layout: ClusterLayout, host: HostPlace): readonly DaemonSpec[] {
  return nodeNames(config)
    .map((name, index) => placeOf(config, name, index))
    .flatMap((place) => [kubelet(config, layout, host, place), ...proxies(config, layout, place)]);
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
  const common = { name, order: ORDER + 2 * index };
  const network = nodeNetwork(config);
  if (network !== undefined) {
    const address = nodeAddress(network, index);
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
            `--cluster-cidr=${clusterCidrOf(config)}`,
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
function proxies(config: ClusterConfig, layout: ClusterLayout, place: NodePlace): readonly DaemonSpec[] {
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
        `--cluster-cidr=${clusterCidrOf(config)}`,
        `--healthz-bind-address=${place.bind}:${PROXY_HEALTH_PORT}`,
        `--metrics-bind-address=${place.bind}:${PROXY_METRICS_PORT}`,
      ],
      files: [kubeconfig],
      addresses: [`${place.address}:${PROXY_HEALTH_PORT}`],
      probe: { scheme: 'http', host: place.address, port: PROXY_HEALTH_PORT },
    },
  ];
}
