import type { Logger } from '@wherry/daemon';
import type { Input, LogIndex, MessageOf, SnapshotMeta } from '../raft/types.ts';
import type { Peers } from './peers.ts';
import type { ReceivedState, Snapshots, State } from './snapshots.ts';

export interface SnapshotTrafficParts {
  readonly snapshots: Snapshots;
  readonly peers: Peers;
  readonly logger: Logger;
  readonly stop: AbortSignal;
  /** Tells the core; does nothing once the member has stopped. */
  readonly step: (input: Input) => void;
  readonly fatal: (error: unknown) => void;
}

/** The comings and goings of snapshots: taken of our state, sent to others, received and taken over. */
export class SnapshotTraffic {
  readonly #parts: SnapshotTrafficParts;
  #taking: Promise<void> = Promise.resolve();
  /** Arrived and durable, waiting for the core's word. */
  #received: { readonly meta: SnapshotMeta; readonly state: ReceivedState } | undefined;

  constructor(parts: SnapshotTrafficParts) {
    this.#parts = parts;
  }

  /** Starts taking one; the log before `keepFrom` may be forgotten afterwards. */
  take(state: State, meta: SnapshotMeta, keepFrom: LogIndex): void {
    const { snapshots, stop, step, fatal } = this.#parts;
    const work = async () => {
      try {
        await snapshots.take(state, meta, stop);
        if (!stop.aborted) step({ kind: 'snapshotTaken', snapshot: meta, keepFrom });
      } catch (error) {
        fatal(error);
      }
    };
    this.#taking = work();
  }

  async send(message: MessageOf<'snapshot'>): Promise<void> {
    const { snapshots, peers, logger, step } = this.#parts;
    let delivered = false;
    try {
      const loaded = await snapshots.load();
      if (loaded !== undefined) {
        delivered = await peers.sendSnapshot({ ...message, snapshot: loaded.meta }, loaded.chunks);
      }
    } catch (error) {
      logger.warn({ err: error, peer: message.to }, 'snapshot not delivered');
    }
    step({ kind: 'snapshotSent', peer: message.to, delivered });
  }

  async receive(message: MessageOf<'snapshot'>, chunks: AsyncIterable<Buffer>): Promise<void> {
    const { snapshots, step } = this.#parts;
    const state = await snapshots.receive(message.snapshot, chunks);
    this.#received = { meta: message.snapshot, state };
    step({ kind: 'message', message });
    this.#received = undefined;
  }

  /** The core takes over what is being received. */
  claim(meta: SnapshotMeta): ReceivedState {
    const received = this.#received;
    if (received?.meta.index !== meta.index) throw new Error(`Snapshot ${meta.index} is to be installed but not here`);
    this.#parts.snapshots.installed(meta).catch((error: unknown) => this.#parts.fatal(error));
    return received.state;
  }

  /** Resolves when nothing is being taken any more. */
  async close(): Promise<void> {
    await this.#taking;
  }
}
