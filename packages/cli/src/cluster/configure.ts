import type { Random } from '@wherry/daemon';
import { dockerAt } from '../engine/docker.ts';
import type { EngineOutcome } from '../engine/provider.ts';
import { Failure } from '../failure.ts';
import { networksInUse } from '../nodes/network.ts';
import {
  type ClusterConfig,
  checkFlags,
  NODES_DEFAULT,
  type Runtime,
  SEVERAL_MAX,
  type UpFlags,
  wideClusterCidr,
} from './config.ts';
import { choosePorts } from './ports.ts';
import { chooseSubnet, isSubnetFree, type Subnet, serverAddress } from './subnet.ts';

/**
 * What the cluster shall be: as recorded, changed by flags, completed with defaults, ports and addresses that are free
 * on this machine.
 * @param known `held`: names of daemons that run already
 * @param engine asks for a Docker engine; called only when nodes need one
 */
export async function configure(
  name: string,
  flags: UpFlags,
  recorded: ClusterConfig | undefined,
  known: { readonly held: ReadonlySet<string>; readonly random: Random },
  engine: () => Promise<EngineOutcome>,
): Promise<ClusterConfig> {
  checkFlags(flags, recorded);
  const count = (of: 'stores' | 'apiservers' | 'schedulers' | 'controllerManagers'): number =>
    flags[of] ?? recorded?.[of] ?? 1;
  const counts = {
    stores: count('stores'),
    apiservers: count('apiservers'),
    schedulers: count('schedulers'),
    controllerManagers: count('controllerManagers'),
  };
  const nodes = flags.nodes ?? recorded?.nodes ?? NODES_DEFAULT;
  const hollowNodes = flags.hollowNodes ?? recorded?.hollowNodes ?? 0;
  const clusterCidr = recorded?.clusterCidr ?? (hollowNodes > 0 ? wideClusterCidr : undefined);
  const hadNodes = recorded !== undefined && recorded.nodes > 0;
  const { runtime, hollowReason } =
    nodes === 0
      ? { runtime: 'docker' as const, hollowReason: undefined }
      : await chooseRuntime(flags.runtime ?? (hadNodes ? recorded.runtime : undefined), engine);
  const reason = hollowReason ?? (runtime === 'hollow' ? recorded?.hollowReason : undefined);
  const ports = await choosePorts({
    ...counts,
    apiserver: flags.port,
    recorded: recorded?.ports,
    held: known.held,
    wereBalanced: (recorded?.apiservers ?? 1) > 1,
    hollowNodes: nodes,
    hollowProcess: hollowNodes > 0,
    isDefault: name === 'default',
    random: known.random,
  });
  const inDocker = nodes > 0 && runtime === 'docker';
  const subnet = inDocker
    ? (recorded?.subnet ?? (await freeSubnet(engine)))
    : await serverSubnet(recorded?.subnet, counts.apiservers, known.held);
  return {
    name,
    ...counts,
    nodes,
    runtime,
    ...(hollowNodes === 0 ? {} : { hollowNodes }),
    ...(clusterCidr === undefined ? {} : { clusterCidr }),
    ...(reason === undefined ? {} : { hollowReason: reason }),
    profile: flags.profile ?? recorded?.profile ?? 'upstream',
    ports,
    ...(subnet === undefined ? {} : { subnet }),
  };
}

async function chooseRuntime(
  wanted: Runtime | undefined,
  engine: () => Promise<EngineOutcome>,
): Promise<Pick<ClusterConfig, 'runtime' | 'hollowReason'>> {
  if (wanted === 'hollow') return { runtime: 'hollow' };
  const outcome = await engine();
  if (outcome.kind === 'ready') return { runtime: 'docker' };
  if (wanted === 'docker') throw new Failure(`Cannot run nodes on Docker: ${outcome.reason}`);
  return { runtime: 'hollow', hollowReason: outcome.reason };
}

async function freeSubnet(engine: () => Promise<EngineOutcome>): Promise<ClusterConfig['subnet']> {
  const outcome = await engine();
  if (outcome.kind !== 'ready') throw new Failure(`Cannot run nodes on Docker: ${outcome.reason}`);
  return chooseSubnet(await networksInUse(dockerAt(outcome.engine.host)));
}

/**
 * Addresses for several API servers on a machine without a Docker network. Nothing reserves them while the cluster is
 * down, so somebody else may have them by now.
 */
async function serverSubnet(
  recorded: Subnet | undefined,
  apiservers: number,
  held: ReadonlySet<string>,
): Promise<Subnet | undefined> {
  if (apiservers === 1 || (recorded !== undefined && held.has('apiserver-1'))) return recorded;
  const taken = await networksInUse(undefined);
  if (recorded === undefined) return chooseSubnet(taken);
  const own = Array.from({ length: SEVERAL_MAX }, (_, index) => `${serverAddress(recorded, index)}/32`);
  const others = taken.filter((cidr) => !own.includes(cidr));
  return isSubnetFree(recorded, others) ? recorded : chooseSubnet(others);
}
