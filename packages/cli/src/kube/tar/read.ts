import { BLOCK_BYTES, type TarEntry } from './format.ts';

/** Longest extended header that is read: names are shorter by far. */
const EXTENDED_BYTES_MAX = 1024 * 1024;

/** An entry with its contents, which are read before the next entry is asked for. */
export interface ReadEntry extends TarEntry {
  readonly body: AsyncIterable<Buffer>;
}

/** Entries of an archive as it arrives. @throws when it is cut or damaged */
export async function* readTar(chunks: AsyncIterable<Buffer>): AsyncGenerator<ReadEntry> {
  const source = new Source(chunks);
  let extended: Readonly<Record<string, string>> = {};
  for (;;) {
    const block = await source.exactly(BLOCK_BYTES);
    if (block === undefined || block.every((byte) => byte === 0)) return;
    checkSum(block);
    const type = block.toString('latin1', 156, 157);
    const sizeBytes = numberAt(block, 124, 12);
    if (type === 'x' || type === 'g' || type === 'L' || type === 'K') {
      const body = await source.body(sizeBytes);
      if (type === 'x') extended = { ...extended, ...recordsOf(body) };
      else if (type === 'L') extended = { ...extended, path: textOf(body) };
      else if (type === 'K') extended = { ...extended, linkpath: textOf(body) };
      continue;
    }
    const entry = entryOf(block, type, extended);
    extended = {};
    const reader = source.stream(entry.sizeBytes);
    yield { ...entry, body: reader };
    // What was not read is passed over.
    for await (const _ of reader);
  }
}

function entryOf(block: Buffer, type: string, extended: Readonly<Record<string, string>>): TarEntry {
  const prefix = block.toString('latin1', 257, 262) === 'ustar' ? textOf(block.subarray(345, 500)) : '';
  const name = textOf(block.subarray(0, 100));
  const kind =
    type === '5'
      ? 'directory'
      : type === '2'
        ? 'symlink'
        : type === '0' || type === '\0' || type === '7'
          ? 'file'
          : 'other';
  return {
    kind,
    path: extended['path'] ?? (prefix === '' ? name : `${prefix}/${name}`),
    mode: numberAt(block, 100, 8) & 0o7777,
    sizeBytes: extended['size'] === undefined ? numberAt(block, 124, 12) : Number(extended['size']),
    modifiedMs: numberAt(block, 136, 12) * 1000,
    target: extended['linkpath'] ?? textOf(block.subarray(157, 257)),
  };
}

function textOf(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString('utf8', 0, end === -1 ? bytes.length : end);
}

/** Octal text, or binary for what is too large for it. */
function numberAt(block: Buffer, at: number, length: number): number {
  if (((block[at] ?? 0) & 0x80) !== 0) return Number(block.readBigUInt64BE(at + length - 8));
  return Number.parseInt(
    block
      .toString('latin1', at, at + length)
      .replace(/\0.*$/s, '')
      .trim() || '0',
    8,
  );
}

function checkSum(block: Buffer): void {
  const stated = numberAt(block, 148, 8);
  const sum = block.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 0x20 : byte), 0);
  if (stated !== sum) throw new Error('the archive is damaged: a header has the wrong checksum');
}

function recordsOf(body: Buffer): Readonly<Record<string, string>> {
  const records: Record<string, string> = {};
  for (let at = 0; at < body.length; ) {
    const length = Number.parseInt(body.toString('latin1', at, Math.min(at + 20, body.length)), 10);
    if (!Number.isInteger(length) || length < 5) break;
    const text = body.toString('utf8', at, at + length - 1);
    const [, key = '', value = ''] = /^\d+ ([^=]+)=(.*)$/s.exec(text) ?? [];
    records[key] = value;
    at += length;
  }
  return records;
}

/** Bytes of a stream, taken in the sizes that are asked for. */
class Source {
  readonly #iterator: AsyncIterator<Buffer>;
  #pending: Buffer = Buffer.alloc(0);

  constructor(chunks: AsyncIterable<Buffer>) {
    this.#iterator = chunks[Symbol.asyncIterator]();
  }

  /** Undefined when the stream ended before. */
  async exactly(length: number): Promise<Buffer | undefined> {
    while (this.#pending.length < length) {
      const { value, done } = await this.#iterator.next();
      if (done === true) {
        if (this.#pending.length > 0) throw new Error('the archive ends in the middle');
        return undefined;
      }
      this.#pending = this.#pending.length === 0 ? value : Buffer.concat([this.#pending, value]);
    }
    const taken = this.#pending.subarray(0, length);
    this.#pending = this.#pending.subarray(length);
    return taken;
  }

  async body(sizeBytes: number): Promise<Buffer> {
    if (sizeBytes > EXTENDED_BYTES_MAX) throw new Error(`the archive is damaged: a name of ${sizeBytes} bytes`);
    const whole = await this.exactly(Math.ceil(sizeBytes / BLOCK_BYTES) * BLOCK_BYTES);
    return (whole ?? Buffer.alloc(0)).subarray(0, sizeBytes);
  }

  /** A body in pieces, its padding left out. Going on after an early end reads the rest. */
  stream(sizeBytes: number): AsyncIterable<Buffer> {
    let left = sizeBytes;
    let padding = (BLOCK_BYTES - (sizeBytes % BLOCK_BYTES)) % BLOCK_BYTES;
    const next = async (): Promise<IteratorResult<Buffer, undefined>> => {
      if (left === 0) {
        if (padding > 0) await this.exactly(padding);
        padding = 0;
        return { done: true, value: undefined };
      }
      if (this.#pending.length === 0) {
        const { value, done } = await this.#iterator.next();
        if (done === true) throw new Error('the archive ends in the middle of a file');
        this.#pending = value;
      }
      const piece = this.#pending.subarray(0, left);
      this.#pending = this.#pending.subarray(piece.length);
      left -= piece.length;
      return { done: false, value: piece };
    };
    return { [Symbol.asyncIterator]: () => ({ next }) };
  }
}
