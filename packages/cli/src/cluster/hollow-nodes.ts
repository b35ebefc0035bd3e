import { join } from 'node:path';
import type { CertificateWish } from '@wherry/pki';
import type { DaemonSpec } from '../daemons/spec.ts';
import { Failure } from '../failure.ts';
import type { ClusterConfig } from './config.ts';
import type { ClusterLayout } from './layout.ts';
import { kubeconfigFile, LOOPBACK, localServer } from './places.ts';
import { timings } from './timings.ts';

/** User of the process: it may read nodes and pods, and act as each of its nodes (hollow-objects.ts). */
export const hollowUser = 'wherry:hollow-nodes';

const DAEMON = 'hollow-nodes';
const PREFIX = 'hollow-node';
/** Position in listings: behind all other nodes. */
const ORDER = 1000;
const clientName = 'hollow-nodes/client';
const servingName = 'hollow-nodes/serving';

/** Addresses of the loopback network that nobody else uses. */
const network = { cidr: '127.128.0.0/16', first: '127.128' };

export const hollowNodeNames = ({ hollowNodes = 0 }: Pick<ClusterConfig, 'hollowNodes'>): readonly string[] =>
  Array.from({ length: hollowNodes }, (_, index) => `${PREFIX}-${index + 1}`);

/** Of these nodes, those that are ours by name and too many. */
export function surplusNodes(
  names: readonly string[],
  { hollowNodes = 0 }: Pick<ClusterConfig, 'hollowNodes'>,
): string[] {
  return names.filter((name) => {
    const index = new RegExp(`^${PREFIX}-([1-9]\\d*)$`).exec(name)?.[1];
    return index !== undefined && Number(index) > hollowNodes;
  });
}

/** The address that `--node-network` gives to the node at this index. */
const addressOf = (index: number): string => `${network.first}.${(index + 1) >> 8}.${(index + 1) & 255}`;

/** Whoever dials a node by its address must find that address in the certificate, so all of them are in it. */
export function hollowWishes({ hollowNodes = 0 }: Pick<ClusterConfig, 'hollowNodes'>): readonly CertificateWish[] {
  if (hollowNodes === 0) return [];
  const common = { commonName: hollowUser, organizations: [], signedBy: 'ca', dnsNames: [] } as const;
  const ipAddresses = Array.from({ length: hollowNodes }, (_, index) => addressOf(index));
  return [
    { ...common, name: clientName, usages: ['client'], ipAddresses: [] },
    { ...common, name: servingName, usages: ['server'], ipAddresses },
  ];
}

export function hollowKubeconfigs(config: ClusterConfig, layout: ClusterLayout) {
  if (config.hollowNodes === undefined) return [];
  return [
    { path: kubeconfigFile(layout, DAEMON), user: hollowUser, identity: clientName, server: localServer(config) },
  ];
}

export function hollowSpecs(config: ClusterConfig, layout: ClusterLayout): readonly DaemonSpec[] {
  const { hollowNodes } = config;
  if (hollowNodes === undefined) return [];
  const port = config.ports.hollowProcess;
  if (port === undefined) throw new Failure(`${layout.config} names no port for its hollow nodes`);
  const kubeconfig = kubeconfigFile(layout, DAEMON);
  const file = (name: string): string => join(layout.pki, name);
  return [
    {
      name: DAEMON,
      kind: 'hollow-nodes',
      order: ORDER,
      flags: [
        `--kubeconfig=${kubeconfig}`,
        `--hollow-nodes=${hollowNodes}`,
        `--hollow-node-prefix=${PREFIX}`,
        `--node-network=${network.cidr}`,
        `--client-ca-file=${file('ca.crt')}`,
        `--tls-cert-file=${file(servingName)}.crt`,
        `--tls-private-key-file=${file(servingName)}.key`,
        '--address=0.0.0.0',
        `--port=${port}`,
        `--healthz-bind-address=${LOOPBACK}`,
        `--healthz-port=${port + 1}`,
        ...timings[config.profile].hollowNodes,
      ],
      files: [kubeconfig, `${file(servingName)}.crt`, file('ca.crt')],
      addresses: [`${network.first}.0.1:${port}`],
      probe: { scheme: 'http', host: LOOPBACK, port: port + 1 },
    },
  ];
}
