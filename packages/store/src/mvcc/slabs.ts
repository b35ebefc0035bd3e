/** Size of a slab; a value larger than a quarter of it gets a slab of its own. */
const SLAB_BYTES = 1 << 20;
const SHARED_VALUE_BYTES_MAX = SLAB_BYTES / 4;
/** A full slab with less live data than this is worth moving out of. */
const SPARSE_BYTES_MAX = SLAB_BYTES / 4;

/** A block of bytes off the JavaScript heap that holds many values, written once from front to back. */
export interface Slab {
  readonly bytes: Buffer;
  usedBytes: number;
  liveBytes: number;
}

export interface Place {
  readonly slab: Slab;
  readonly offset: number;
  readonly length: number;
}

/**
 * Keeps values out of the garbage collector's way. Bytes are never overwritten, so views handed out stay true; a slab
 * goes away when the last version that points to it does.
 */
export class Slabs {
  #current: Slab = emptySlab(0);

  /** Copies `value` in: what came from a socket would otherwise pin the whole chunk it arrived in. */
  add(value: Uint8Array): Place {
    const length = value.length;
    if (length > SHARED_VALUE_BYTES_MAX) {
      const slab = emptySlab(length);
      slab.bytes.set(value);
      slab.usedBytes = length;
      slab.liveBytes = length;
      return { slab, offset: 0, length };
    }
    // An empty value needs no memory, so a fresh store holds no slab at all.
    if (length > 0 && this.#current.usedBytes + length > this.#current.bytes.length) {
      this.#current = emptySlab(SLAB_BYTES);
    }
    const slab = this.#current;
    const offset = slab.usedBytes;
    slab.bytes.set(value, offset);
    slab.usedBytes += length;
    slab.liveBytes += length;
    return { slab, offset, length };
  }

  /** Gives back the bytes of a dropped version. */
  release(place: Place): void {
    place.slab.liveBytes -= place.length;
  }

  /** True if so little of the slab is alive that its survivors should be copied elsewhere. */
  isSparse(slab: Slab): boolean {
    return slab !== this.#current && slab.liveBytes < SPARSE_BYTES_MAX && slab.bytes.length === SLAB_BYTES;
  }
}

function emptySlab(sizeBytes: number): Slab {
  // Never from Node's shared pool: its 8 KiB blocks would live as long as the smallest value in them.
  return { bytes: Buffer.allocUnsafeSlow(sizeBytes), usedBytes: 0, liveBytes: 0 };
}
