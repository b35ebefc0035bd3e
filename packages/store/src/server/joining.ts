import type { TLSSocket } from 'node:tls';
import type { Clock, Logger } from '@wherry/daemon';
import { ClusterState } from '../replica/cluster-state.ts';
import type { Founding } from '../replica/recovery.ts';
import { ByteReader, type ByteWriter } from '../schema/bytes.ts';
import { feedFrames } from './feed.ts';
import { type Address, addressOf, type ClusterFlags } from './identity.ts';
import { PEER_FRAME_BYTES_MAX, peerFrame, peerFrames } from './peer-frames.ts';

const ANSWER_MS_MAX = 2_000;
const RETRY_MS = 500;
const ATTEMPTS_MAX = 120;

/** What a member tells one that wants to join. */
export function writeClusterOf(writer: ByteWriter, clusterId: number, cluster: ClusterState): void {
  writer.varint(clusterId);
  writer.sizedBytes(cluster.encode());
}

export interface JoiningParts {
  readonly connect: (address: Address) => TLSSocket;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly ownPeerUrls: readonly string[];
}

/**
 * A new member of a cluster that runs: others have added it, under its peer URLs, and know its id. The log it will be
 * sent begins with the cluster's founders.
 * @throws Error when nobody answers for a minute, or nobody has added us
 */
export async function foundByAsking(flags: ClusterFlags, parts: JoiningParts): Promise<Founding> {
  const { ownPeerUrls, clock, logger } = parts;
  const others = flags.initialCluster.filter(({ name }) => name !== flags.name);
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    for (const { name, peerUrl } of others) {
      const answer = await ask(addressOf(peerUrl), parts);
      if (answer === undefined) continue;
      const own = answer.cluster.members.find(({ peerUrls }) => peerUrls.some((url) => ownPeerUrls.includes(url)));
      if (own === undefined) {
        throw new Error(
          `Cannot join: member "${name}" knows no member at ${ownPeerUrls.join(', ')}; add it first ("member add")`,
        );
      }
      const { token, founders } = answer.cluster;
      const identity = { clusterId: answer.clusterId, memberId: own.id };
      return { identity, cluster: new ClusterState(token, founders) };
    }
    logger.info({ members: others.map(({ peerUrl }) => peerUrl) }, 'waiting for a member of the cluster to answer');
    await clock.sleep(RETRY_MS);
  }
  throw new Error(
    `Cannot join: no member of the cluster answers at ${others.map(({ peerUrl }) => peerUrl).join(', ')}`,
  );
}

interface ClusterAnswer {
  readonly clusterId: number;
  readonly cluster: ClusterState;
}

function ask(address: Address, parts: JoiningParts): Promise<ClusterAnswer | undefined> {
  return new Promise((resolve) => {
    const socket = parts.connect(address);
    const timer = parts.clock.setTimer(ANSWER_MS_MAX, () => socket.destroy());
    socket.on('secureConnect', () => {
      socket.write(peerFrame(peerFrames.who));
    });
    feedFrames(socket, PEER_FRAME_BYTES_MAX, parts.logger, (kind, _id, payload) => {
      if (kind !== peerFrames.cluster) return;
      const reader = new ByteReader(payload);
      const clusterId = reader.varint();
      resolve({ clusterId, cluster: ClusterState.decode(Buffer.from(reader.sizedBytes())) });
      socket.destroy();
    });
    socket.on('error', (error) => parts.logger.debug({ err: error }, 'a member does not answer'));
    socket.on('close', () => {
      timer.cancel();
      resolve(undefined);
    });
  });
}
