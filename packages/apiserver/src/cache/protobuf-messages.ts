import { encodableMessage, encodeMessage } from '../http/protobuf/encode.ts';
import type { Entry } from './entry.ts';

/** What all kept messages may take together: those of 40,000 Pods. */
export const PROTOBUF_BYTES_MAX = 64 * 1024 * 1024;

/** A message of an entry, once somebody asked for it. The size stays known when the bytes are given up. */
export interface Kept {
  readonly size: number;
  bytes: Buffer | undefined;
}

/**
 * The protobuf messages of cached entries: made when first asked for, kept as long as there is room, so that all
 * watchers and lists share them. A cluster whose clients speak JSON never makes one.
 */
export class ProtobufMessages {
  /** Oldest first. Holds no entries, so what is forgotten elsewhere goes. */
  readonly #kept = new Set<Kept>();
  readonly #bytesMax: number;
  #bytes = 0;

  constructor(bytesMax = PROTOBUF_BYTES_MAX) {
    this.#bytesMax = bytesMax;
  }

  get sizeBytes(): number {
    return this.#bytes;
  }

  /** The message of an entry in its stored version. @throws EncodeError, NotEncodable */
  of(entry: Entry): Buffer {
    return entry.protobuf?.bytes ?? this.#make(entry);
  }

  /** Its length; undefined as long as nobody asked for the message. */
  sizeOf(entry: Entry): number | undefined {
    return entry.protobuf?.size;
  }

  /** Gives up the message of an entry that is no longer the present one. */
  forget(entry: Entry): void {
    if (entry.protobuf !== undefined) {
      this.#drop(entry.protobuf);
    }
  }

  #make(entry: Entry): Buffer {
    const { kind = '', apiVersion = '' } = entry.object();
    const bytes = encodeMessage(encodableMessage(apiVersion, kind), entry.object());
    const kept: Kept = entry.protobuf ?? { size: bytes.length, bytes };
    kept.bytes = bytes;
    entry.protobuf = kept;
    this.#kept.add(kept);
    this.#bytes += bytes.length;
    for (const oldest of this.#kept) {
      if (this.#bytes <= this.#bytesMax) {
        break;
      }
      this.#drop(oldest);
    }
    return bytes;
  }

  #drop(kept: Kept): void {
    if (this.#kept.delete(kept)) {
      this.#bytes -= kept.size;
      kept.bytes = undefined;
    }
  }
}
