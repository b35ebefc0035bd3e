// What a kubelet is told, and what it is given to work with.
import { milliValue, quantityToNumber, type Taint } from '@wherry/api';
import type { ApiClient } from '@wherry/client';
import type { Clock, Logger, Metrics, Random, Scope } from '@wherry/daemon';
import type { RunCommand } from './host/commands.ts';
import type { Wiring } from './network/wiring.ts';
import { goArchitecture, hostCapacity } from './node/host-facts.ts';
import type { NodeDescription } from './plan/node-object.ts';
import type { RunProbe } from './probes/prober.ts';
import type { Runtime } from './runtime/port.ts';

export interface KubeletConfig {
  readonly nodeName: string;
  readonly nodeIp: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly Taint[];
  readonly register: boolean;
  readonly rootDirectory: string;
  readonly resolvConf: string;
  readonly clusterDns: readonly string[];
  readonly clusterDomain: string;
  readonly clusterCidr: string | undefined;
  readonly podCidr: string | undefined;
  readonly podsMax: number;
  readonly cpu: string | undefined;
  readonly memory: string | undefined;
  readonly capacityDivisor: number;
  readonly port: number;
  readonly statusCheckMs: number;
  readonly leaseSeconds: number;
  readonly drainMs: number;
}

export interface KubeletAdapters {
  readonly client: ApiClient;
  readonly runtime: Runtime;
  readonly wiring: Wiring;
  readonly prober: RunProbe;
  readonly run: RunCommand;
  /** Nothing is in the containers: they read no files and answer no requests. */
  readonly isHollow: boolean;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly scope: Scope;
}

/** The node as configured: the host's capacity, or its share, or what was given. */
export async function describeNode(config: KubeletConfig): Promise<NodeDescription> {
  const host = await hostCapacity(config.rootDirectory);
  const share = (amount: number) => Math.floor(amount / config.capacityDivisor);
  return {
    name: config.nodeName,
    ip: config.nodeIp,
    architecture: goArchitecture(),
    labels: config.labels,
    taints: config.taints,
    cpuMillis: config.cpu === undefined ? share(host.cpuMillis) : Number(milliValue(config.cpu)),
    memoryBytes: config.memory === undefined ? share(host.memoryBytes) : quantityToNumber(config.memory),
    ephemeralStorageBytes: share(host.diskBytes),
    podsMax: config.podsMax,
    kubeletPort: config.port,
  };
}
