import type { Random } from '@wherry/daemon';
import type { DaemonKind } from '../daemons/spec.ts';
import { dockerAt } from '../engine/docker.ts';
import type { EngineOutcome } from '../engine/provider.ts';
import { Failure } from '../failure.ts';
import { networksInUse } from '../nodes/network.ts';
import { type ClusterConfig, checkFlags, NODES_DEFAULT, type Runtime, type UpFlags } from './config.ts';
import { choosePorts } from './ports.ts';
import { chooseSubnet } from './subnet.ts';

/**
 * What the cluster shall be: as recorded, changed by flags, completed with defaults, ports and addresses that are free
 * on this machine.
 * @param known `held`: kinds of daemons that run already
 * @param engine asks for a Docker engine; called only when nodes need one
 */
export async function configure(
  name: string,
  flags: UpFlags,
  recorded: ClusterConfig | undefined,
  known: { readonly held: ReadonlySet<DaemonKind>; readonly random: Random },
  engine: () => Promise<EngineOutcome>,
): Promise<ClusterConfig> {
  checkFlags(flags, recorded);
  const nodes = flags.nodes ?? recorded?.nodes ?? NODES_DEFAULT;
  const hadNodes = recorded !== undefined && recorded.nodes > 0;
  const { runtime, hollowReason } =
    nodes === 0
      ? { runtime: 'docker' as const, hollowReason: undefined }
      : await chooseRuntime(flags.runtime ?? (hadNodes ? recorded.runtime : undefined), engine);
  const reason = hollowReason ?? (runtime === 'hollow' ? recorded?.hollowReason : undefined);
  const ports = await choosePorts({
    apiserver: flags.port,
    recorded: recorded?.ports,
    held: known.held,
    hollowNodes: nodes,
    isDefault: name === 'default',
    random: known.random,
  });
  const subnet = recorded?.subnet ?? (nodes > 0 && runtime === 'docker' ? await freeSubnet(engine) : undefined);
  return {
    name,
    nodes,
    runtime,
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
