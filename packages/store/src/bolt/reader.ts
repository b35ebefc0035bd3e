import { MalformedBytes } from '../schema/bytes.ts';
import {
  BUCKET_BYTES,
  BUCKET_FLAG,
  ELEMENT_BYTES,
  fnv64,
  META_BYTES,
  META_MAGIC,
  META_VERSION,
  PAGE_HEADER_BYTES,
  pageFlags,
} from './pages.ts';

/** Where a file's bytes come from; gives fewer only at its end. */
export type ReadAt = (position: number, length: number) => Promise<Buffer>;

/** bbolt's own sizes are the operating systems' page sizes. */
const PAGE_BYTES_SMALLEST = 1 << 10;
const PAGE_BYTES_LARGEST = 1 << 16;
/** A tree of 2^64 items would not be deeper. */
const DEPTH_MAX = 40;
const ITEM_BYTES_MAX = 1 << 30;

interface Meta {
  readonly pageBytes: number;
  readonly root: number;
  readonly pages: number;
  readonly transaction: number;
}

interface Element {
  readonly bucket: boolean;
  readonly key: Buffer;
  readonly value: Buffer;
}

type Page =
  | { readonly kind: 'leaf'; readonly elements: readonly Element[] }
  | { readonly kind: 'branch'; readonly children: readonly number[] };

/** Reads bbolt files, one page at a time; whatever cannot be one is refused with MalformedBytes. */
export class BoltFile {
  readonly #read: ReadAt;
  readonly #meta: Meta;
  readonly #buckets = new Map<string, Buffer>();
  /** Pages read; a tree that leads in circles would read more than there are. */
  #visited = 0;

  /** @throws MalformedBytes if it is no such file */
  static async open(read: ReadAt): Promise<BoltFile> {
    const metas: Meta[] = [];
    const first = readMeta(await read(0, PAGE_HEADER_BYTES + META_BYTES + 8));
    if (first !== undefined) metas.push(first);
    // The second one stands a page further; how large a page is, the first one says if it is whole.
    const sizes = first === undefined ? possiblePageSizes() : [first.pageBytes];
    for (const pageBytes of sizes) {
      const second = readMeta(await read(pageBytes, PAGE_HEADER_BYTES + META_BYTES + 8));
      if (second?.pageBytes === pageBytes) metas.push(second);
    }
    metas.sort((a, b) => b.transaction - a.transaction);
    const [meta] = metas;
    if (meta === undefined) throw new MalformedBytes('neither of its two meta pages is whole: it is no bbolt file');
    const file = new BoltFile(read, meta);
    for await (const { bucket, key, value } of file.#tree(meta.root)) {
      if (!bucket) throw new MalformedBytes(`an item beside the buckets: ${JSON.stringify(key.toString('latin1'))}`);
      file.#buckets.set(key.toString('utf8'), value);
    }
    return file;
  }

  private constructor(read: ReadAt, meta: Meta) {
    this.#read = read;
    this.#meta = meta;
  }

  /** Bytes of the file proper, without what may have been appended. */
  get sizeBytes(): number {
    return this.#meta.pages * this.#meta.pageBytes;
  }

  get bucketNames(): readonly string[] {
    return [...this.#buckets.keys()];
  }

  /** A bucket's items in the order of their keys; none if there is no such bucket. @throws MalformedBytes */
  async *items(bucket: string): AsyncGenerator<readonly [key: Buffer, value: Buffer]> {
    const value = this.#buckets.get(bucket);
    if (value === undefined) return;
    if (value.length < BUCKET_BYTES) throw new MalformedBytes(`bucket ${bucket} of ${value.length} bytes`);
    const root = numberAt(value, 0);
    const elements = root === 0 ? inlineElements(value.subarray(BUCKET_BYTES)) : this.#tree(root);
    let last: Buffer | undefined;
    for await (const element of elements) {
      if (element.bucket) throw new MalformedBytes(`bucket ${bucket} holds another bucket`);
      if (last !== undefined && last.compare(element.key) >= 0) {
        throw new MalformedBytes(`bucket ${bucket} is out of order at ${element.key.toString('hex')}`);
      }
      last = element.key;
      yield [element.key, element.value];
    }
  }

  async *#tree(root: number, depth = 0): AsyncGenerator<Element> {
    if (depth > DEPTH_MAX) throw new MalformedBytes(`page ${root} is more than ${DEPTH_MAX} levels deep`);
    const page = await this.#page(root);
    if (page.kind === 'leaf') yield* page.elements;
    else for (const child of page.children) yield* this.#tree(child, depth + 1);
  }

  async #page(id: number): Promise<Page> {
    const { pageBytes, pages } = this.#meta;
    if (id < 2 || id >= pages) throw new MalformedBytes(`page ${id} of ${pages}`);
    if (++this.#visited > 2 * pages) throw new MalformedBytes(`page ${id} is reached in a circle`);
    let bytes = await this.#read(id * pageBytes, pageBytes);
    if (bytes.length < pageBytes) throw new MalformedBytes(`page ${id} is cut off`);
    const overflow = bytes.readUInt32LE(12);
    if (overflow > 0) {
      const length = pageBytes * (overflow + 1);
      if (length > ITEM_BYTES_MAX || id + overflow >= pages) {
        throw new MalformedBytes(`page ${id} goes on over ${overflow} pages`);
      }
      bytes = await this.#read(id * pageBytes, length);
      if (bytes.length < length) throw new MalformedBytes(`page ${id} is cut off`);
    }
    if (numberAt(bytes, 0) !== id) throw new MalformedBytes(`page ${id} says it is page ${numberAt(bytes, 0)}`);
    return readPage(bytes, `page ${id}`);
  }
}

function possiblePageSizes(): number[] {
  const sizes: number[] = [];
  for (let size = PAGE_BYTES_SMALLEST; size <= PAGE_BYTES_LARGEST; size *= 2) sizes.push(size);
  return sizes;
}

function readMeta(page: Buffer): Meta | undefined {
  if (page.length < PAGE_HEADER_BYTES + META_BYTES + 8) return undefined;
  const meta = page.subarray(PAGE_HEADER_BYTES);
  if (meta.readUInt32LE(0) !== META_MAGIC || meta.readUInt32LE(4) !== META_VERSION) return undefined;
  if (meta.readBigUInt64LE(META_BYTES) !== fnv64(meta.subarray(0, META_BYTES))) return undefined;
  const pageBytes = meta.readUInt32LE(8);
  if (!possiblePageSizes().includes(pageBytes)) return undefined;
  return { pageBytes, root: numberAt(meta, 16), pages: numberAt(meta, 40), transaction: numberAt(meta, 48) };
}

function inlineElements(bytes: Buffer): readonly Element[] {
  const page = readPage(bytes, 'a page inside a bucket');
  if (page.kind !== 'leaf') throw new MalformedBytes('a page inside a bucket has others below it');
  return page.elements;
}

function readPage(bytes: Buffer, name: string): Page {
  if (bytes.length < PAGE_HEADER_BYTES) throw new MalformedBytes(`${name} of ${bytes.length} bytes`);
  const flags = bytes.readUInt16LE(8);
  const count = bytes.readUInt16LE(10);
  if (PAGE_HEADER_BYTES + count * ELEMENT_BYTES > bytes.length) throw new MalformedBytes(`${name} has ${count} items`);
  const starts = Array.from({ length: count }, (_, i) => PAGE_HEADER_BYTES + i * ELEMENT_BYTES);
  const part = (start: number, length: number) => {
    if (start + length > bytes.length) throw new MalformedBytes(`${name}: an item lies outside`);
    return bytes.subarray(start, start + length);
  };
  if (flags === pageFlags.leaf) {
    const elements = starts.map((start) => {
      const [itemFlags = 0, position = 0, keyBytes = 0, valueBytes = 0] = words(bytes, start);
      const key = part(start + position, keyBytes);
      return { bucket: itemFlags === BUCKET_FLAG, key, value: part(start + position + keyBytes, valueBytes) };
    });
    return { kind: 'leaf', elements };
  }
  if (flags !== pageFlags.branch || count === 0) throw new MalformedBytes(`${name} has flags ${flags}, ${count} items`);
  return { kind: 'branch', children: starts.map((start) => numberAt(bytes, start + 8)) };
}

function words(bytes: Buffer, offset: number): readonly number[] {
  return [0, 4, 8, 12].map((at) => bytes.readUInt32LE(offset + at));
}

function numberAt(bytes: Buffer, offset: number): number {
  const value = Number(bytes.readBigUInt64LE(offset));
  if (!Number.isSafeInteger(value)) throw new MalformedBytes(`number ${value} is too large`);
  return value;
}
