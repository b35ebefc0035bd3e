import type { Duplex } from 'node:stream';
import type { Clock, Logger } from '@wherry/daemon';
import type { MessageOf } from '../raft/types.ts';
import type { PeerEvents } from '../replica/peers.ts';
import { ByteReader, type ByteWriter, MalformedBytes } from '../schema/bytes.ts';
import { ChunkQueue } from './chunk-queue.ts';
import { feedFrames } from './feed.ts';
import { readMessage } from './peer-codec.ts';
import {
  type Hello,
  PEER_FRAME_BYTES_MAX,
  peerFrame,
  peerFrames,
  readHello,
  type Shunned,
  writeShunned,
} from './peer-frames.ts';

export interface PeerInboxParts {
  /** Why the sender is not welcome; undefined if it is. */
  readonly check: (hello: Hello) => Promise<Shunned | undefined>;
  /** Told to whoever connects: whether our own log is empty. */
  readonly isEmpty: () => boolean;
  /** Tells a new member what the cluster is. */
  readonly describe: (writer: ByteWriter) => void;
  /** For messages: where the connection comes from. */
  readonly remote: string;
  readonly clock: Clock;
  /** Undefined until the member has recovered. */
  readonly events: () => PeerEvents | undefined;
  /** Answers a question of the member. @throws MalformedBytes */
  readonly answer: (question: Buffer) => Promise<Buffer>;
  readonly logger: Logger;
}

/** A connection another member opened to us. It must first say who it is and mean us. */
export class PeerInbox {
  readonly #stream: Duplex;
  readonly #parts: PeerInboxParts;
  #hello: Hello | undefined;
  #welcome = false;
  /** Those who wait for a sign of life. */
  #pongs: (() => void)[] = [];
  #snapshot: ChunkQueue | undefined;

  constructor(stream: Duplex, parts: PeerInboxParts) {
    this.#stream = stream;
    this.#parts = parts;
  }

  start(): void {
    feedFrames(this.#stream, PEER_FRAME_BYTES_MAX, this.#parts.logger, (kind, id, payload) =>
      this.#frame(kind, id, payload),
    );
    this.#stream.on('error', (error) => this.#parts.logger.debug({ err: error }, 'peer connection failed'));
    this.#stream.on('close', () => this.#snapshot?.end(new Error('Connection lost in the middle of a snapshot')));
  }

  /** Who is at the other end, once it has said so. */
  get hello(): Hello | undefined {
    return this.#hello;
  }

  get remote(): string {
    return this.#parts.remote;
  }

  /** Whether the process at the other end lives: a dead host's connection looks like any other. */
  answers(withinMs: number): Promise<boolean> {
    if (this.#stream.destroyed) return Promise.resolve(false);
    this.#stream.write(peerFrame(peerFrames.ping));
    return new Promise((resolve) => {
      const timer = this.#parts.clock.setTimer(withinMs, () => resolve(false));
      this.#pongs.push(() => {
        timer.cancel();
        resolve(true);
      });
      this.#stream.once('close', () => {
        timer.cancel();
        resolve(false);
      });
    });
  }

  close(): void {
    this.#stream.destroy();
  }

  #frame(kind: number, id: number, payload: Buffer): void {
    const events = this.#parts.events();
    if (this.#hello === undefined && kind === peerFrames.who) {
      this.#stream.write(peerFrame(peerFrames.cluster, (writer) => this.#parts.describe(writer)));
    } else if (this.#hello === undefined || kind === peerFrames.hello) this.#greeted(kind, payload);
    else if (kind === peerFrames.pong) for (const heard of this.#pongs.splice(0)) heard();
    else if (events === undefined || !this.#welcome) return;
    else if (kind === peerFrames.message) {
      const message = readMessage(new ByteReader(payload));
      if (message.from === this.#hello.from) events.message(message);
    } else if (kind === peerFrames.ask) void this.#answer(id, payload);
    else this.#snapshotFrame(kind, payload, events);
  }

  async #answer(id: number, question: Buffer): Promise<void> {
    try {
      const answer = await this.#parts.answer(question);
      if (this.#stream.writable) this.#stream.write(peerFrame(peerFrames.answer, (writer) => writer.bytes(answer), id));
    } catch (error) {
      if (!(error instanceof MalformedBytes)) throw error;
      this.#parts.logger.warn(
        { err: error, remote: this.remote },
        'connection closed: it asked what nobody understands',
      );
      this.#stream.destroy();
    }
  }

  #greeted(kind: number, payload: Buffer): void {
    if (kind !== peerFrames.hello || this.#hello !== undefined) {
      this.#refuse({ why: 'elsewhere', reason: 'the first frame must say who connects, and only that' });
      return;
    }
    const hello = readHello(new ByteReader(payload));
    this.#hello = hello;
    // Nothing is read while we find out who it is, so that nothing is lost that follows the hello.
    this.#stream.pause();
    void this.#parts.check(hello).then((shunned) => {
      this.#stream.resume();
      if (shunned !== undefined) {
        this.#refuse(shunned);
        return;
      }
      this.#welcome = true;
      this.#stream.write(peerFrame(peerFrames.welcome, (writer) => writer.u8(Number(this.#parts.isEmpty()))));
    });
  }

  #refuse(shunned: Shunned): void {
    this.#parts.logger.warn({ reason: shunned.reason, remote: this.remote }, 'peer refused');
    this.#stream.end(peerFrame(peerFrames.refused, (writer) => writeShunned(writer, shunned)));
  }

  #snapshotFrame(kind: number, payload: Buffer, events: PeerEvents): void {
    switch (kind) {
      case peerFrames.snapshotBegin: {
        const message = readMessage(new ByteReader(payload));
        if (message.kind !== 'snapshot' || message.from !== this.#hello?.from || this.#snapshot !== undefined) {
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
