import type { Mvcc } from '../mvcc/mvcc.ts';
import { SnapshotSink } from '../mvcc/snapshot.ts';
import { ClusterState } from './cluster-state.ts';

/** First byte of the chunk that carries the cluster state; the numbers below are those of `mvcc/snapshot.ts`. */
const CLUSTER = 3;

/** The first chunk of a snapshot. */
export function clusterChunk(cluster: ClusterState): Buffer {
  return Buffer.concat([Buffer.from([CLUSTER]), cluster.encode()]);
}

/** Takes a snapshot's chunks: keys and cluster state. */
export class StateSink {
  readonly #keys = new SnapshotSink();
  #cluster: ClusterState | undefined;

  /** @throws MalformedBytes */
  add(chunk: Buffer): void {
    if (chunk[0] === CLUSTER) this.#cluster = ClusterState.decode(chunk.subarray(1));
    else this.#keys.add(chunk);
  }

  /** Undefined in a snapshot of an earlier version. */
  get cluster(): ClusterState | undefined {
    return this.#cluster;
  }

  /** @throws MalformedBytes if something is missing */
  mvcc(): Mvcc {
    return this.#keys.finish();
  }
}

/** @throws MalformedBytes */
export function readStateChunks(chunks: readonly Buffer[]): StateSink {
  const sink = new StateSink();
  for (const chunk of chunks) sink.add(chunk);
  return sink;
}
