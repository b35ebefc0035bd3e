import { once } from 'node:events';
import type { TLSSocket } from 'node:tls';
import type { Clock, Logger, Timer } from '@wherry/daemon';
import type { Message, MessageOf } from '../raft/types.ts';
import { ByteWriter } from '../schema/bytes.ts';
import { beginFrame, endFrame } from '../schema/frames.ts';
import { feedFrames } from './feed.ts';
import type { Address } from './identity.ts';
import { writeMessage } from './peer-codec.ts';
import {
  type Hello,
  PEER_FRAME_BYTES_MAX,
  peerFrame,
  peerFrames,
  readShunned,
  type Shunned,
  writeHello,
} from './peer-frames.ts';
import { PeerQuestions } from './peer-questions.ts';

/** Bytes waiting in the socket above which messages are dropped: raft sends again what matters. */
const OUT_BYTES_MAX = 64 << 20;
const RECONNECT_MS_MIN = 50;
const RECONNECT_MS_MAX = 1_000;
const CONNECT_MS_MAX = 2_000;

export interface PeerLinkParts {
  readonly hello: () => Hello;
  /** Where the peer may be, likeliest first. */
  readonly addresses: () => readonly Address[];
  readonly open: (address: Address) => TLSSocket;
  /** Whether to turn away from a peer that welcomes us, given whether its log is empty. */
  readonly refuse: (isEmpty: boolean) => Shunned | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Up after the peer's welcome; down when the connection broke and one attempt to make it again failed. */
  readonly onChange: (up: boolean) => void;
  /** The peer will not have us. */
  readonly onShunned: (shunned: Shunned) => void;
}

/** Our connection to one other member; made again for as long as it takes. */
export class PeerLink {
  readonly #parts: PeerLinkParts;
  readonly #questions: PeerQuestions;
  #socket: TLSSocket | undefined;
  #welcome = false;
  #failures = 0;
  /** Which address is tried, or was tried last. */
  #address = 0;
  #writer: ByteWriter | undefined;
  #timer: Timer | undefined;
  #closed = false;

  constructor(parts: PeerLinkParts) {
    this.#parts = parts;
    this.#questions = new PeerQuestions(parts.clock);
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

  /** Asks the member something; undefined if it cannot be reached or does not answer. */
  ask(question: Buffer): Promise<Buffer | undefined> {
    const socket = this.#socket;
    if (!this.#welcome || socket === undefined || socket.writableLength > OUT_BYTES_MAX)
      return Promise.resolve(undefined);
    return this.#questions.ask((id) => {
      socket.write(peerFrame(peerFrames.ask, (writer) => writer.bytes(question), id));
    });
  }

  /** On a connection of its own, so that heartbeats need not queue behind it. */
  async sendSnapshot(message: MessageOf<'snapshot'>, chunks: AsyncIterable<Buffer>): Promise<boolean> {
    const socket = this.#open();
    if (socket === undefined) return false;
    try {
      await once(socket, 'secureConnect');
      const { welcome, done } = this.#hear(socket);
      const write = async (frame: Buffer) => {
        if (!socket.write(frame)) await Promise.race([once(socket, 'drain'), done]);
      };
      await write(peerFrame(peerFrames.hello, (writer) => writeHello(writer, this.#parts.hello())));
      if (!(await welcome)) return false;
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

  /** A better address may be known: not worth leaving one that works. */
  addressesChanged(): void {
    if (this.#welcome || this.#closed) return;
    this.#failures = 0;
    this.#timer?.cancel();
    // The end of an attempt at hand moves on to the next address, and starts the next attempt.
    this.#address = this.#socket === undefined ? 0 : -1;
    if (this.#socket !== undefined) this.#socket.destroy();
    else this.#connect();
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
    const { clock, logger, hello } = this.#parts;
    const socket = this.#open();
    if (socket === undefined) {
      this.#timer = clock.setTimer(RECONNECT_MS_MAX, () => this.#connect());
      return;
    }
    this.#socket = socket;
    this.#timer = clock.setTimer(CONNECT_MS_MAX, () => socket.destroy(new Error('no answer to a connection')));
    feedFrames(socket, PEER_FRAME_BYTES_MAX, logger, (kind, id, payload) => {
      if (kind === peerFrames.answer) this.#questions.answered(id, payload);
      else if (kind === peerFrames.welcome) this.#welcomed(payload[0] === 1);
      else if (kind === peerFrames.refused) this.#shunned(readShunned(payload));
      else if (kind === peerFrames.ping) socket.write(peerFrame(peerFrames.pong));
    });
    socket.on('error', (error) => logger.debug({ err: error }, 'peer connection failed'));
    socket.on('secureConnect', () => {
      socket.write(peerFrame(peerFrames.hello, (writer) => writeHello(writer, hello())));
    });
    socket.on('close', () => this.#lost());
  }

  /** Undefined if no address is known (yet). */
  #open(): TLSSocket | undefined {
    const addresses = this.#parts.addresses();
    const address = addresses[this.#address % Math.max(1, addresses.length)];
    return address === undefined ? undefined : this.#parts.open(address);
  }

  #shunned(shunned: Shunned): void {
    this.#parts.logger.error({ reason: shunned.reason }, 'peer refused us');
    this.#parts.onShunned(shunned);
  }

  #welcomed(isEmpty: boolean): void {
    const refused = this.#parts.refuse(isEmpty);
    if (refused !== undefined) {
      this.#parts.logger.error({ reason: refused.reason }, 'peer turned away from');
      this.#socket?.destroy();
      return;
    }
    this.#timer?.cancel();
    this.#welcome = true;
    this.#failures = 0;
    this.#parts.onChange(true);
  }

  /** The first attempt to connect again is made at once: its failure is news, a mere hiccup is not. */
  #lost(): void {
    this.#timer?.cancel();
    this.#questions.lost();
    if (this.#closed) return;
    const wasUp = this.#welcome;
    this.#welcome = false;
    this.#socket = undefined;
    if (wasUp) {
      this.#connect();
      return;
    }
    if (this.#failures === 0) this.#parts.onChange(false);
    this.#address++;
    const waitMs = Math.min(RECONNECT_MS_MAX, RECONNECT_MS_MIN * 2 ** Math.min(this.#failures, 10));
    this.#failures++;
    this.#timer = this.#parts.clock.setTimer(waitMs, () => this.#connect());
  }

  /** What the receiver of a snapshot says, both false once it cannot say anything any more. */
  #hear(socket: TLSSocket): { readonly welcome: Promise<boolean>; readonly done: Promise<boolean> } {
    const welcome = Promise.withResolvers<boolean>();
    const done = Promise.withResolvers<boolean>();
    feedFrames(socket, PEER_FRAME_BYTES_MAX, this.#parts.logger, (kind) => {
      if (kind === peerFrames.welcome) welcome.resolve(true);
      else if (kind === peerFrames.snapshotDone) done.resolve(true);
      else if (kind === peerFrames.ping) socket.write(peerFrame(peerFrames.pong));
    });
    const over = () => {
      welcome.resolve(false);
      done.resolve(false);
    };
    socket.on('error', over);
    socket.on('close', over);
    return { welcome: welcome.promise, done: done.promise };
  }
}
