import type { Clock, Logger } from '@wherry/daemon';
import type { Mvcc } from '../mvcc/mvcc.ts';
import { SnapshotSource } from '../mvcc/snapshot.ts';
import type { LogIndex, SnapshotMeta } from '../raft/types.ts';
import type { Disk } from '../wal/disk.ts';
import { loadNewestSnapshot, removeOldSnapshots, SnapshotWriter } from '../wal/snapshot-file.ts';
import type { Wal, WalIdentity } from '../wal/wal.ts';
import type { ClusterState } from './cluster-state.ts';
import { clusterChunk, StateSink } from './state-chunks.ts';

/** Payload written between two turns of the event loop: about a millisecond's work. */
const CHUNK_BYTES = 512 << 10;
/** Log bytes that make a snapshot due regardless of the number of entries: a restart would have to read them. */
const LOG_BYTES_MAX = 128 << 20;
/** A snapshot costs as much as the state; with many small entries it waits until they amount to a part of that. */
const STATE_FRACTION = 4;

export interface SnapshotPolicy {
  /** Entries applied between snapshots (etcd's --snapshot-count). */
  readonly snapshotCount: number;
}

/** All that commands have made. */
export interface State {
  readonly mvcc: Mvcc;
  readonly cluster: ClusterState;
}

export interface ReceivedState {
  readonly mvcc: Mvcc;
  /** Undefined from a member of an earlier version. */
  readonly cluster: ClusterState | undefined;
}

/** Takes, sends and receives snapshots. One at a time of each. */
export class Snapshots {
  readonly #disk: Disk;
  readonly #wal: Wal;
  readonly #identity: WalIdentity;
  readonly #policy: SnapshotPolicy;
  readonly #clock: Clock;
  readonly #logger: Logger;
  #last: LogIndex;
  #taking = false;
  #receiving = false;

  constructor(
    parts: { disk: Disk; wal: Wal; identity: WalIdentity; clock: Clock; logger: Logger },
    policy: SnapshotPolicy,
    last: LogIndex,
  ) {
    this.#disk = parts.disk;
    this.#wal = parts.wal;
    this.#identity = parts.identity;
    this.#clock = parts.clock;
    this.#logger = parts.logger;
    this.#policy = policy;
    this.#last = last;
  }

  /** While true, history must not be pruned. */
  get taking(): boolean {
    return this.#taking;
  }

  isDue(applied: LogIndex, stateBytes: number): boolean {
    if (this.#taking || this.#receiving || applied <= this.#last) return false;
    const logBytes = this.#wal.bytesSinceSnapshot;
    if (logBytes >= LOG_BYTES_MAX) return true;
    return applied - this.#last >= this.#policy.snapshotCount && logBytes >= stateBytes / STATE_FRACTION;
  }

  /** Writes the state as of now, while it goes on changing. Resolves once log segments it covers are gone. */
  async take(state: State, meta: SnapshotMeta, signal: AbortSignal): Promise<void> {
    this.#taking = true;
    const startedMs = this.#clock.monotonicMs();
    const source = new SnapshotSource(state.mvcc);
    // Encoded now, for it goes on changing too.
    const cluster = clusterChunk(state.cluster);
    const writer = new SnapshotWriter(this.#disk, this.#identity, meta);
    let sizeBytes = 0;
    try {
      await writer.write(cluster);
      for (let chunk = source.next(CHUNK_BYTES); chunk !== undefined; chunk = source.next(CHUNK_BYTES)) {
        if (signal.aborted) return await writer.abandon();
        sizeBytes += chunk.length;
        await writer.write(chunk);
      }
      await writer.finish();
      this.#last = meta.index;
    } finally {
      this.#taking = false;
    }
    await this.#wal.snapshotTaken(meta.index);
    await removeOldSnapshots(this.#disk);
    const tookMs = Math.round(this.#clock.monotonicMs() - startedMs);
    this.#logger.info({ index: meta.index, sizeBytes, tookMs }, 'snapshot taken');
  }

  /** The newest snapshot on disk, for a follower. */
  async load(): Promise<{ readonly meta: SnapshotMeta; readonly chunks: AsyncIterable<Buffer> } | undefined> {
    const loaded = await loadNewestSnapshot(this.#disk, this.#identity);
    return loaded === undefined ? undefined : { meta: loaded.meta, chunks: iterate(loaded.chunks) };
  }

  /** Stores what a leader sends; the state is returned once it is durable. */
  async receive(meta: SnapshotMeta, chunks: AsyncIterable<Buffer>): Promise<ReceivedState> {
    if (this.#receiving) throw new Error(`Cannot receive snapshot ${meta.index}: another one is arriving`);
    this.#receiving = true;
    const writer = new SnapshotWriter(this.#disk, this.#identity, meta, 'received.tmp');
    try {
      const sink = new StateSink();
      for await (const chunk of chunks) {
        sink.add(chunk);
        await writer.write(chunk);
      }
      const mvcc = sink.mvcc();
      await writer.finish();
      return { mvcc, cluster: sink.cluster };
    } catch (error) {
      await writer.abandon();
      throw error;
    } finally {
      this.#receiving = false;
    }
  }

  /** A received snapshot took the place of the state. */
  async installed(meta: SnapshotMeta): Promise<void> {
    this.#last = meta.index;
    await this.#wal.snapshotTaken(meta.index);
    await removeOldSnapshots(this.#disk);
  }
}

async function* iterate(chunks: readonly Buffer[]): AsyncIterable<Buffer> {
  for (const chunk of chunks) yield chunk;
}
