import { type Duplex, duplexPair } from 'node:stream';
import { seededRandom, silentLogger, systemClock } from '@wherry/daemon';
import type { NodeId } from '../../raft/types.ts';
import { replicaDefaults } from '../../replica/options.ts';
import { noPeers } from '../../replica/peers.ts';
import type { Replica } from '../../replica/replica.ts';
import { startReplica } from '../../replica/testing.ts';
import { ClientDoor } from '../../server/client-door.ts';
import { Requests } from '../../server/requests.ts';
import { SimulatedDisk } from '../../wal/simulated-disk.ts';

/** A member whose door is a pair of streams instead of a socket. */
export class Member {
  readonly disk = new SimulatedDisk({ random: () => 0 });
  replica: Replica | undefined;
  readonly streams = new Set<Duplex>();

  async start(): Promise<void> {
    const memberId = 1 as NodeId;
    const onFatal = (error: unknown) => {
      throw error;
    };
    const random = seededRandom(1);
    const parts = { disk: this.disk, peers: noPeers, clock: systemClock, random, logger: silentLogger, onFatal };
    this.replica = await startReplica({ ...replicaDefaults, clusterId: 7, memberId, voters: [memberId] }, parts);
  }

  connect(): Duplex {
    const { replica } = this;
    if (replica === undefined) throw new Error('connection refused');
    const [here, there] = duplexPair();
    // A pair does not pass a sudden end on by itself, as a socket would.
    here.on('close', () => there.destroy());
    there.on('close', () => here.destroy());
    this.streams.add(here);
    const requests = new Requests(replica, seededRandom(2));
    new ClientDoor(there, { replica, requests, clock: systemClock, logger: silentLogger, onRequest: () => undefined });
    return here;
  }

  async stop(): Promise<void> {
    const { replica } = this;
    this.replica = undefined;
    await replica?.close();
    this.breakConnections();
  }

  breakConnections(): void {
    for (const stream of this.streams) stream.destroy();
    this.streams.clear();
  }
}
