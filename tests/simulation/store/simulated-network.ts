import type { Random, VirtualClock } from '@wherry/daemon';
import type { Message, MessageOf, NodeId } from '../../../packages/store/src/raft/types.ts';
import type { PeerEvents, Peers } from '../../../packages/store/src/replica/peers.ts';
import { ByteReader, ByteWriter } from '../../../packages/store/src/schema/bytes.ts';
import { readMessage, writeMessage } from '../../../packages/store/src/server/peer-codec.ts';

export interface NetworkFaults {
  /** Chance that a message is lost, or arrives twice. */
  readonly loss: number;
  readonly duplication: number;
  readonly delayMsMax: number;
}

/** Carries messages between simulated members through the real codec, as badly as its faults say. */
export class SimulatedNetwork {
  readonly #clock: VirtualClock;
  readonly #random: Random;
  readonly #members = new Map<NodeId, PeerEvents>();
  /** Directed: a message from the first to the second does not arrive. */
  readonly #cut = new Set<string>();
  faults: NetworkFaults = { loss: 0, duplication: 0, delayMsMax: 1 };

  constructor(clock: VirtualClock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  /** The network as a (new) life of a member sees it. */
  join(id: NodeId): Peers {
    let mine: PeerEvents | undefined;
    const alive = () => mine !== undefined && this.#members.get(id) === mine;
    return {
      start: (events) => {
        mine = events;
        this.#members.set(id, events);
        this.#tellOthers(id, true);
      },
      send: (message) => {
        if (alive()) this.#carry(message);
      },
      sendSnapshot: async (message, chunks) => {
        if (!alive()) return false;
        return this.#carrySnapshot(message, chunks);
      },
      know: () => undefined,
    };
  }

  /** The member's process died: its sockets close, which the others may notice at once. */
  leave(id: NodeId): void {
    this.#members.delete(id);
    this.#tellOthers(id, false);
  }

  cut(from: NodeId, to: NodeId): void {
    this.#cut.add(`${from}>${to}`);
  }

  heal(): void {
    this.#cut.clear();
    this.faults = { loss: 0, duplication: 0, delayMsMax: 1 };
  }

  #tellOthers(id: NodeId, up: boolean): void {
    for (const [other, events] of this.#members) {
      if (other === id || this.#random.next() < 0.3) continue;
      this.#clock.setTimer(this.#delay(), () => {
        if (this.#members.get(other) === events && this.#members.has(id) === up) events.connection(id, up);
      });
    }
  }

  #carry(message: Message): void {
    const writer = new ByteWriter();
    writeMessage(writer, message);
    const bytes = writer.finish();
    const { loss, duplication } = this.faults;
    const copies = this.#random.next() < loss ? 0 : this.#random.next() < duplication ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      this.#clock.setTimer(this.#delay(), () => {
        if (this.#arrives(message)) this.#members.get(message.to)?.message(readMessage(new ByteReader(bytes)));
      });
    }
  }

  async #carrySnapshot(message: MessageOf<'snapshot'>, chunks: AsyncIterable<Buffer>): Promise<boolean> {
    const held: Buffer[] = [];
    for await (const chunk of chunks) held.push(Buffer.from(chunk));
    await this.#clock.sleep(this.#delay() * 5);
    const events = this.#members.get(message.to);
    if (events === undefined || !this.#arrives(message) || this.#random.next() < this.faults.loss) return false;
    try {
      await events.snapshot(message, iterate(held));
    } catch {
      // The receiver was busy with another one; the sender tries again.
      return false;
    }
    return this.#members.get(message.to) === events;
  }

  #arrives(message: Message): boolean {
    return !this.#cut.has(`${message.from}>${message.to}`);
  }

  #delay(): number {
    return 0.05 + this.#random.next() * this.faults.delayMsMax;
  }
}

async function* iterate(chunks: readonly Buffer[]): AsyncIterable<Buffer> {
  for (const chunk of chunks) yield chunk;
}
