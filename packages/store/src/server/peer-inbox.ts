import type { Duplex } from 'node:stream';
import type { Logger } from '@wherry/daemon';
import type { MessageOf, NodeId } from '../raft/types.ts';
import type { PeerEvents } from '../replica/peers.ts';
import { ByteReader, MalformedBytes } from '../schema/bytes.ts';
import { ChunkQueue } from './chunk-queue.ts';
import { feedFrames } from './feed.ts';
import { readMessage } from './peer-codec.ts';
import { PEER_FRAME_BYTES_MAX, peerFrame, peerFrames, readHello } from './peer-frames.ts';

export interface PeerInboxParts {
  readonly clusterId: number;
  readonly self: NodeId;
  readonly known: (id: NodeId) => boolean;
  /** Undefined until the member has recovered. */
  readonly events: () => PeerEvents | undefined;
  readonly logger: Logger;
}

/** A connection another member opened to us. It must first say who it is and mean us. */
export class PeerInbox {
  readonly #stream: Duplex;
  readonly #parts: PeerInboxParts;
  #from: NodeId | undefined;
  #snapshot: ChunkQueue | undefined;

  constructor(stream: Duplex, parts: PeerInboxParts) {
    this.#stream = stream;
    this.#parts = parts;
  }

  start(): void {
    feedFrames(this.#stream, PEER_FRAME_BYTES_MAX, this.#parts.logger, (kind, _id, payload) =>
      this.#frame(kind, payload),
    );
    this.#stream.on('error', (error) => this.#parts.logger.debug({ err: error }, 'peer connection failed'));
    this.#stream.on('close', () => this.#snapshot?.end(new Error('Connection lost in the middle of a snapshot')));
  }

  #frame(kind: number, payload: Buffer): void {
    const events = this.#parts.events();
    if (this.#from === undefined || kind === peerFrames.hello) this.#hello(kind, payload);
    else if (events === undefined) return;
    else if (kind === peerFrames.message) {
      const message = readMessage(new ByteReader(payload));
      if (message.from === this.#from) events.message(message);
    } else this.#snapshotFrame(kind, payload, events);
  }

  #hello(kind: number, payload: Buffer): void {
    const { clusterId, self, known } = this.#parts;
    if (kind !== peerFrames.hello || this.#from !== undefined) {
      this.#refuse('the first frame must say who connects, and only that');
      return;
    }
    const hello = readHello(new ByteReader(payload));
    if (hello.clusterId !== clusterId) {
      this.#refuse(`cluster ID mismatch: ${hello.clusterId.toString(16)} is not ${clusterId.toString(16)}`);
    } else if (hello.to !== self || !known(hello.from)) {
      this.#refuse(`member ${hello.from.toString(16)} is unknown here, or looked for ${hello.to.toString(16)}`);
    } else {
      this.#from = hello.from;
      this.#stream.write(peerFrame(peerFrames.welcome));
    }
  }

  #refuse(reason: string): void {
    this.#parts.logger.warn({ reason }, 'peer refused');
    this.#stream.end(peerFrame(peerFrames.refused, (writer) => writer.bytes(Buffer.from(reason))));
  }

  #snapshotFrame(kind: number, payload: Buffer, events: PeerEvents): void {
    switch (kind) {
      case peerFrames.snapshotBegin: {
        const message = readMessage(new ByteReader(payload));
        if (message.kind !== 'snapshot' || message.from !== this.#from || this.#snapshot !== undefined) {
          throw new MalformedBytes('a snapshot was announced wrongly');
        }
        this.#snapshot = new ChunkQueue(
          () => this.#stream.pause(),
          () => this.#stream.resume(),
        );
        void this.#receive(message, this.#snapshot, events);
        return;
      }
      case peerFrames.snapshotChunk:
        this.#snapshot?.push(payload);
        return;
      case peerFrames.snapshotEnd:
        this.#snapshot?.end();
        return;
      default:
        throw new MalformedBytes(`unknown peer frame ${kind}`);
    }
  }

  async #receive(message: MessageOf<'snapshot'>, chunks: ChunkQueue, events: PeerEvents): Promise<void> {
    try {
      await events.snapshot(message, chunks);
      this.#stream.end(peerFrame(peerFrames.snapshotDone));
    } catch (error) {
      this.#parts.logger.warn({ err: error, from: message.from }, 'snapshot not received');
      this.#stream.destroy();
    }
  }
}
