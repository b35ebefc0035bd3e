import { serviceUnavailable } from '@wherry/api';
import type { Random } from '@wherry/daemon';
import type { Storage } from '../../storage/port.ts';
import { translated } from '../object-store.ts';

const KEY = '/registry/ranges/servicenodeports';
const ATTEMPTS_MAX = 50;

export interface PortRange {
  readonly from: number;
  /** Inclusive. */
  readonly to: number;
}

/** @throws Error for anything but `from-to` */
export function parsePortRange(text: string): PortRange {
  const [from, to] = text.split('-').map(Number);
  if (from === undefined || to === undefined || !(from >= 1 && to <= 65_535 && from <= to)) {
    throw new Error(`Cannot use ${JSON.stringify(text)} as node port range: it must look like 30000-32767`);
  }
  return { from, to };
}

/**
 * Node ports that are taken, as one record in the store that is compared and set: several API servers agree through
 * it, as upstream's range allocation does.
 */
export class NodePorts {
  readonly #storage: Storage;
  readonly #random: Random;
  readonly range: PortRange;
  /** Changes of this process one after another: they would only lose against each other. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(storage: Storage, random: Random, range: PortRange) {
    this.#storage = storage;
    this.#random = random;
    this.range = range;
  }

  inRange(port: number): boolean {
    return port >= this.range.from && port <= this.range.to;
  }

  /** False: the port is taken. */
  take(port: number): Promise<boolean> {
    return this.#change((bits) => {
      if (has(bits, port - this.range.from)) {
        return { write: false, result: false };
      }
      set(bits, port - this.range.from, true);
      return { write: true, result: true };
    });
  }

  /** Undefined: all are taken. */
  takeAny(): Promise<number | undefined> {
    const count = this.range.to - this.range.from + 1;
    return this.#change((bits) => {
      const start = this.#random.integer(count);
      for (let step = 0; step < count; step += 1) {
        const offset = (start + step) % count;
        if (!has(bits, offset)) {
          set(bits, offset, true);
          return { write: true, result: this.range.from + offset };
        }
      }
      return { write: false, result: undefined };
    });
  }

  release(ports: readonly number[]): Promise<void> {
    return this.#change((bits) => {
      for (const port of ports) {
        set(bits, port - this.range.from, false);
      }
      return { write: ports.length > 0, result: undefined };
    });
  }

  /** Makes the record say exactly what the Services hold. */
  repair(held: Iterable<number>): Promise<void> {
    return this.#change((bits) => {
      const before = bits.slice();
      bits.fill(0);
      for (const port of held) {
        if (this.inRange(port)) {
          set(bits, port - this.range.from, true);
        }
      }
      return { write: Buffer.compare(before, bits) !== 0, result: undefined };
    });
  }

  #change<T>(change: (bits: Uint8Array) => { readonly write: boolean; readonly result: T }): Promise<T> {
    const turn = this.#last.then(() => this.#attempt(change));
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  async #attempt<T>(change: (bits: Uint8Array) => { readonly write: boolean; readonly result: T }): Promise<T> {
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
      const stored = await translated(this.#storage.get(KEY));
      const bits = this.#bits(stored?.value);
      const { write, result } = change(bits);
      if (!write) {
        return result;
      }
      const value = this.#encode(bits);
      const outcome = await translated(
        stored === undefined ? this.#storage.create(KEY, value) : this.#storage.update(KEY, value, stored.revision),
      );
      if (outcome.done) {
        return result;
      }
    }
    throw serviceUnavailable('node ports could not be allocated, too many servers change them');
  }

  #bits(value: Buffer | undefined): Uint8Array {
    const bytes = Math.ceil((this.range.to - this.range.from + 1) / 8);
    const bits = new Uint8Array(bytes);
    if (value !== undefined) {
      const record = JSON.parse(value.toString()) as RangeAllocation;
      // Another range means other positions; the next repair fills them in.
      if (record.range === this.#name()) {
        bits.set(Buffer.from(record.data, 'base64').subarray(0, bytes));
      }
    }
    return bits;
  }

  #encode(bits: Uint8Array): Buffer {
    const record = {
      kind: 'RangeAllocation',
      apiVersion: 'v1',
      metadata: { creationTimestamp: null },
      range: this.#name(),
      data: Buffer.from(bits).toString('base64'),
    };
    return Buffer.from(JSON.stringify(record));
  }

  #name(): string {
    return `${this.range.from}-${this.range.to}`;
  }
}

interface RangeAllocation {
  readonly range: string;
  readonly data: string;
}

function has(bits: Uint8Array, index: number): boolean {
  return (((bits[index >> 3] ?? 0) >> (index & 7)) & 1) === 1;
}

function set(bits: Uint8Array, index: number, value: boolean): void {
  const byte = bits[index >> 3];
  if (byte !== undefined) {
    bits[index >> 3] = value ? byte | (1 << (index & 7)) : byte & ~(1 << (index & 7));
  }
}
