import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeWhole } from '@wherry/pki';
import { clusterCidr, clusterDomain, dnsIp } from '../cluster/config.ts';
import type { HostPlace } from '../cluster/host-place.ts';
import type { ClusterLayout } from '../cluster/layout.ts';
import { LOOPBACK } from '../cluster/places.ts';
import { daemonSpecs } from '../cluster/specs.ts';
import { requireConfig } from '../cluster/stored-config.ts';
import type { DaemonSpec } from '../daemons/spec.ts';
import { Failure, hasCode } from '../failure.ts';

/** This host as a node of a cluster whose control plane is elsewhere: what `join` decided. */
export interface JoinedNode {
  readonly name: string;
  readonly address: string;
  /** URL of the API server, as the cluster publishes it. */
  readonly server: string;
  readonly runtime: 'docker' | 'hollow';
  /** The Docker engine, for example `unix:///var/run/docker.sock`. */
  readonly engine: string;
  /** Further flags of the two daemons. */
  readonly kubeletArgs: readonly string[];
  readonly proxyArgs: readonly string[];
}

const recordFile = (layout: ClusterLayout): string => join(layout.folder, 'joined.json');

/** @returns undefined when this folder holds no joined node */
export function readJoined(layout: ClusterLayout): JoinedNode | undefined {
  try {
    return JSON.parse(readFileSync(recordFile(layout), 'utf8'));
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw new Failure(`Cannot read ${recordFile(layout)}: "wherry reset --force" removes what is left of the node`, {
      cause: error,
    });
  }
}

/** @throws Failure when the folder holds neither a cluster nor a joined node */
export function requireKnown(layout: ClusterLayout): void {
  if (readJoined(layout) === undefined) requireConfig(layout);
}

/** Every daemon that this folder's cluster, or joined node, consists of. @throws Failure when it holds neither */
export function knownSpecs(layout: ClusterLayout, host: HostPlace): readonly DaemonSpec[] {
  const joined = readJoined(layout);
  return joined === undefined ? daemonSpecs(requireConfig(layout), layout, host) : joinedSpecs(joined, layout);
}

export async function writeJoined(layout: ClusterLayout, node: JoinedNode): Promise<void> {
  await writeWhole(recordFile(layout), `${JSON.stringify(node, undefined, 2)}\n`, 0o600);
}

/** Files of a joined node; kubeadm's names. */
export function joinedFiles(layout: ClusterLayout) {
  return {
    authority: join(layout.pki, 'ca.crt'),
    bootstrap: join(layout.kubeconfigs, 'bootstrap-kubelet.conf'),
    kubeconfig: join(layout.kubeconfigs, 'kubelet.conf'),
    certificate: join(layout.pki, 'kubelet-client-current.pem'),
  };
}

const KUBELET_PORT = 10250;
const KUBELET_HEALTH_PORT = 10248;
const PROXY_HEALTH_PORT = 10256;
const PROXY_METRICS_PORT = 10249;

/** The daemons of a joined node. Its containers are found again by the folder's name. */
export function joinedSpecs(node: JoinedNode, layout: ClusterLayout): readonly DaemonSpec[] {
  return [kubelet(node, layout), ...(node.runtime === 'docker' ? [proxy(node, layout)] : [])];
}

function kubelet(node: JoinedNode, layout: ClusterLayout): DaemonSpec {
  const files = joinedFiles(layout);
  return {
    name: `kubelet-${node.name}`,
    kind: 'kubelet',
    order: 0,
    node: node.name,
    flags: [
      `--kubeconfig=${files.kubeconfig}`,
      `--bootstrap-kubeconfig=${files.bootstrap}`,
      `--cert-dir=${layout.pki}`,
      '--rotate-certificates=true',
      '--rotate-server-certificates=true',
      `--hostname-override=${node.name}`,
      `--node-ip=${node.address}`,
      `--root-dir=${join(layout.data, node.name)}`,
      `--runtime=${node.runtime}`,
      `--container-runtime-endpoint=${node.engine}`,
      `--cluster-name=${layout.name}`,
      `--cluster-cidr=${clusterCidr}`,
      `--cluster-dns=${dnsIp}`,
      `--cluster-domain=${clusterDomain}`,
      `--client-ca-file=${files.authority}`,
      ...node.kubeletArgs,
    ],
    files: [files.authority],
    addresses: [`${node.address}:${portOf(node.kubeletArgs, 'port', KUBELET_PORT)}`],
    probe: { scheme: 'http', host: LOOPBACK, port: portOf(node.kubeletArgs, 'healthz-port', KUBELET_HEALTH_PORT) },
  };
}

/** With the node's own credentials, which it reads again when the kubelet has renewed them. */
function proxy(node: JoinedNode, layout: ClusterLayout): DaemonSpec {
  return {
    name: `proxy-${node.name}`,
    kind: 'proxy',
    order: 1,
    node: node.name,
    flags: [
      `--kubeconfig=${joinedFiles(layout).kubeconfig}`,
      `--hostname-override=${node.name}`,
      '--proxy-mode=nftables',
      `--cluster-cidr=${clusterCidr}`,
      `--healthz-bind-address=0.0.0.0:${PROXY_HEALTH_PORT}`,
      `--metrics-bind-address=${LOOPBACK}:${PROXY_METRICS_PORT}`,
      ...node.proxyArgs,
    ],
    files: [],
    addresses: [`${node.address}:${PROXY_HEALTH_PORT}`],
    probe: { scheme: 'http', host: LOOPBACK, port: PROXY_HEALTH_PORT },
  };
}

function portOf(flags: readonly string[], name: string, usual: number): number {
  const given = flags.findLast((flag) => flag.startsWith(`--${name}=`));
  return given === undefined ? usual : Number(given.slice(name.length + 3));
}
