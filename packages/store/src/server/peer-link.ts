import { once } from 'node:events';
import type { TLSSocket } from 'node:tls';
import type { Clock, Logger, Timer } from '@wherry/daemon';
import type { Message, MessageOf } from '../raft/types.ts';
import { ByteWriter } from '../schema/bytes.ts';
import { beginFrame, endFrame } from '../schema/frames.ts';
import { feedFrames } from './feed.ts';
import { writeMessage } from './peer-codec.ts';
import { type Hello, PEER_FRAME_BYTES_MAX, peerFrame, peerFrames, writeHello } from './peer-frames.ts';

/** Bytes waiting in the socket above which messages are dropped: raft sends again what matters. */
const OUT_BYTES_MAX = 64 << 20;
const RECONNECT_MS_MIN = 50;
const RECONNECT_MS_MAX = 1_000;
const CONNECT_MS_MAX = 2_000;

export interface PeerLinkParts {
  readonly hello: Hello;
  readonly open: () => TLSSocket;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Up after the peer's welcome; down when the connection broke and one attempt to make it again failed. */
  readonly onChange: (up: boolean) => void;
}

/** Our connection to one other member; made again for as long as it takes. */
export class PeerLink {
  readonly #parts: PeerLinkParts;
  #socket: TLSSocket | undefined;
  #welcome = false;
  #failures = 0;
  #writer: ByteWriter | undefined;
  #timer: Timer | undefined;
  #closed = false;

  constructor(parts: PeerLinkParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#connect();
  }

  send(message: Message): void {
    const socket = this.#socket;
    if (!this.#welcome || socket === undefined || socket.writableLength > OUT_BYTES_MAX) return;
    if (this.#writer === undefined) {
      this.#writer = new ByteWriter(1024);
      queueMicrotask(() => this.#flush());
    }
    const start = beginFrame(this.#writer, peerFrames.message, 0);
    writeMessage(this.#writer, message);
    endFrame(this.#writer, start);
  }

  /** On a connection of its own, so that heartbeats need not queue behind it. */
  async sendSnapshot(message: MessageOf<'snapshot'>, chunks: AsyncIterable<Buffer>): Promise<boolean> {
    const socket = this.#parts.open();
    try {
      await once(socket, 'secureConnect');
      const done = this.#awaitFrame(socket, peerFrames.snapshotDone);
      const write = async (frame: Buffer) => {
        if (!socket.write(frame)) await Promise.race([once(socket, 'drain'), done]);
      };
      await write(peerFrame(peerFrames.hello, (writer) => writeHello(writer, this.#parts.hello)));
      await write(peerFrame(peerFrames.snapshotBegin, (writer) => writeMessage(writer, message)));
      for await (const chunk of chunks) {
        await write(peerFrame(peerFrames.snapshotChunk, (writer) => writer.bytes(chunk)));
      }
      await write(peerFrame(peerFrames.snapshotEnd));
      return await done;
    } finally {
      socket.destroy();
    }
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#socket?.destroy();
  }

  #flush(): void {
    const writer = this.#writer;
    this.#writer = undefined;
    if (writer !== undefined && this.#socket?.writable === true) this.#socket.write(writer.finish());
  }

  #connect(): void {
    if (this.#closed) return;
    const { clock, logger, open, hello } = this.#parts;
    const socket = open();
    this.#socket = socket;
    this.#timer = clock.setTimer(CONNECT_MS_MAX, () => socket.destroy(new Error('no answer to a connection')));
    feedFrames(socket, PEER_FRAME_BYTES_MAX, logger, (kind, _id, payload) => {
      if (kind === peerFrames.welcome) this.#welcomed();
      else if (kind === peerFrames.refused) logger.error({ reason: payload.toString() }, 'peer refused us');
    });
    socket.on('error', (error) => logger.debug({ err: error }, 'peer connection failed'));
    socket.on('secureConnect', () => {
      socket.write(peerFrame(peerFrames.hello, (writer) => writeHello(writer, hello)));
    });
    socket.on('close', () => this.#lost());
  }

  #welcomed(): void {
    this.#timer?.cancel();
    this.#welcome = true;
    this.#failures = 0;
    this.#parts.onChange(true);
  }

  /** The first attempt to connect again is made at once: its failure is news, a mere hiccup is not. */
  #lost(): void {
    this.#timer?.cancel();
    if (this.#closed) return;
    const wasUp = this.#welcome;
    this.#welcome = false;
    this.#socket = undefined;
    if (wasUp) {
      this.#connect();
      return;
    }
    if (this.#failures === 0) this.#parts.onChange(false);
    const waitMs = Math.min(RECONNECT_MS_MAX, RECONNECT_MS_MIN * 2 ** Math.min(this.#failures, 10));
    this.#failures++;
    this.#timer = this.#parts.clock.setTimer(waitMs, () => this.#connect());
  }

  #awaitFrame(socket: TLSSocket, wanted: number): Promise<boolean> {
    return new Promise((resolve) => {
      feedFrames(socket, PEER_FRAME_BYTES_MAX, this.#parts.logger, (kind) => {
        if (kind === wanted) resolve(true);
      });
      socket.on('error', () => resolve(false));
      socket.on('close', () => resolve(false));
    });
  }
}
