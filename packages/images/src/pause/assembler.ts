/** Places instructions one after another, and fills jumps in once all labels are known. */
export class Assembler {
  readonly #bytes: number[] = [];
  readonly #labels = new Map<string, number>();
  readonly #references: { readonly label: string; readonly at: number; readonly patch: Patch }[] = [];

  emit(...bytes: readonly number[]): this {
    this.#bytes.push(...bytes);
    return this;
  }

  /** One little-endian 32-bit word, the instruction size of arm64. */
  word(value: number): this {
    return this.emit(value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, (value >>> 24) & 0xff);
  }

  label(name: string): this {
    if (this.#labels.has(name)) throw new Error(`Cannot place label "${name}" twice`);
    this.#labels.set(name, this.#bytes.length);
    return this;
  }

  /** Bytes that depend on where `label` ends up: `patch` gets the distance from the first of these bytes to the label. */
  reference(label: string, size: number, patch: Patch): this {
    this.#references.push({ label, at: this.#bytes.length, patch });
    return this.emit(...new Array<number>(size).fill(0));
  }

  finish(): Uint8Array {
    for (const { label, at, patch } of this.#references) {
      const target = this.#labels.get(label);
      if (target === undefined) throw new Error(`Cannot jump to label "${label}": it was never placed`);
      patch(target - at).forEach((byte, index) => {
        this.#bytes[at + index] = byte & 0xff;
      });
    }
    return Uint8Array.from(this.#bytes);
  }
}

type Patch = (distance: number) => readonly number[];
