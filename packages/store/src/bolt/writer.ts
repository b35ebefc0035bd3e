import {
  BUCKET_BYTES,
  BUCKET_FLAG,
  ELEMENT_BYTES,
  fnv64,
  META_BYTES,
  META_MAGIC,
  META_VERSION,
  PAGE_BYTES,
  PAGE_HEADER_BYTES,
  PAGE_ITEMS_MAX,
  pageFlags,
  writePageHeader,
} from './pages.ts';

/** One bucket to be written; its items are asked for twice, and must come in the order of their keys both times. */
export interface BucketSource {
  readonly name: string;
  /** Lengths of each item's key and value. */
  sizes(): Iterable<readonly [keyBytes: number, valueBytes: number]>;
  items(): Iterable<readonly [key: Buffer, value: Buffer]>;
}

/** Items between two chances for others to run. */
const ITEMS_PER_SLICE = 5000;
/** Bytes handed out at once, unless one item is larger. */
const CHUNK_BYTES = 128 << 10;
const FREELIST_PAGE = 2;
const ROOT_PAGE = 3;
const FIRST_BUCKET_PAGE = 4;

interface BucketPlan {
  readonly source: BucketSource;
  readonly firstPage: number;
  readonly leaves: number;
  readonly keyBytesMax: number;
  /** Pages of the leaves and of all branches above them. */
  readonly pages: number;
  readonly rootPage: number;
}

/**
 * Writes a bbolt file front to back. The meta pages come first and say where the roots are, so that everything is
 * measured in a first pass; nothing but places of pages is kept between the two.
 */
export class BoltWriter {
  readonly #sources: readonly BucketSource[];
  #plans: readonly BucketPlan[] = [];
  #pages = 0;

  /** @param sources in the order of their names */
  constructor(sources: readonly BucketSource[]) {
    this.#sources = sources;
  }

  /** Of the whole file, once it is measured. */
  get sizeBytes(): number {
    return this.#pages * PAGE_BYTES;
  }

  /** First pass; yields now and then, so that others get their turn. */
  *measure(): Generator<void, void> {
    const plans: BucketPlan[] = [];
    let page = FIRST_BUCKET_PAGE;
    for (const source of this.#sources) {
      const plan = yield* measureBucket(source, page);
      plans.push(plan);
      page += plan.pages;
    }
    this.#plans = plans;
    this.#pages = page;
  }

  /** Second pass: the file in chunks. */
  *write(): Generator<Buffer, void> {
    yield Buffer.concat([this.#meta(0), this.#meta(1), emptyPage(FREELIST_PAGE, pageFlags.freelist), this.#root()]);
    for (const plan of this.#plans) yield* writeBucket(plan);
  }

  #meta(id: number): Buffer {
    const page = emptyPage(id, pageFlags.meta);
    const meta = page.subarray(PAGE_HEADER_BYTES);
    meta.writeUInt32LE(META_MAGIC, 0);
    meta.writeUInt32LE(META_VERSION, 4);
    meta.writeUInt32LE(PAGE_BYTES, 8);
    meta.writeBigUInt64LE(BigInt(ROOT_PAGE), 16);
    meta.writeBigUInt64LE(BigInt(FREELIST_PAGE), 32);
    meta.writeBigUInt64LE(BigInt(this.#pages), 40);
    meta.writeBigUInt64LE(BigInt(id), 48);
    meta.writeBigUInt64LE(fnv64(meta.subarray(0, META_BYTES)), META_BYTES);
    return page;
  }

  #root(): Buffer {
    const items = this.#plans.map(({ source, rootPage }) => {
      const value = Buffer.alloc(BUCKET_BYTES);
      value.writeBigUInt64LE(BigInt(rootPage), 0);
      return [Buffer.from(source.name), value] as const;
    });
    const page = leafPage(ROOT_PAGE, items, BUCKET_FLAG);
    if (page.length !== PAGE_BYTES) throw new Error(`Cannot write ${items.length} buckets: they must fit in a page`);
    return page;
  }
}

/** Groups items into pages, the same way in both passes. */
class LeafFilling {
  #usedBytes = PAGE_HEADER_BYTES;
  #count = 0;

  /** True if the item belongs to a new page. */
  opensPage(keyBytes: number, valueBytes: number): boolean {
    const bytes = ELEMENT_BYTES + keyBytes + valueBytes;
    const opens = this.#count > 0 && (this.#usedBytes + bytes > PAGE_BYTES || this.#count >= PAGE_ITEMS_MAX);
    if (opens) {
      this.#usedBytes = PAGE_HEADER_BYTES;
      this.#count = 0;
    }
    this.#usedBytes += bytes;
    this.#count++;
    return opens;
  }

  /** Pages that what was taken since the last opening needs. */
  get pages(): number {
    return Math.ceil(this.#usedBytes / PAGE_BYTES);
  }
}

function* measureBucket(source: BucketSource, firstPage: number): Generator<void, BucketPlan> {
  const filling = new LeafFilling();
  let leaves = 1;
  let pages = 0;
  let keyBytesMax = 0;
  let seen = 0;
  let open = filling.pages;
  for (const [keyBytes, valueBytes] of source.sizes()) {
    if (filling.opensPage(keyBytes, valueBytes)) {
      pages += open;
      leaves++;
    }
    open = filling.pages;
    keyBytesMax = Math.max(keyBytesMax, keyBytes);
    if (++seen % ITEMS_PER_SLICE === 0) yield;
  }
  pages += open;
  const rootLeaf = firstPage + pages - open;
  for (const level of branchLevels(leaves, keyBytesMax)) pages += level;
  const rootPage = leaves === 1 ? rootLeaf : firstPage + pages - 1;
  return { source, firstPage, leaves, keyBytesMax, pages, rootPage };
}

/** Number of branch pages of each level above so many leaves, the last one being the root's. */
function branchLevels(leaves: number, keyBytesMax: number): number[] {
  const levels: number[] = [];
  const perPage = Math.max(2, Math.floor((PAGE_BYTES - PAGE_HEADER_BYTES) / (ELEMENT_BYTES + keyBytesMax)));
  for (let below = leaves; below > 1; ) {
    below = Math.ceil(below / perPage);
    levels.push(below);
  }
  return levels;
}

interface Child {
  readonly page: number;
  readonly firstKey: Buffer;
}

function* writeBucket(plan: BucketPlan): Generator<Buffer, void> {
  const filling = new LeafFilling();
  let page = plan.firstPage;
  let items: (readonly [Buffer, Buffer])[] = [];
  let children: Child[] = [];
  let chunk: Buffer[] = [];
  let chunkBytes = 0;
  const close = () => {
    const bytes = leafPage(page, items, 0);
    children.push({ page, firstKey: items[0]?.[0] ?? Buffer.alloc(0) });
    page += bytes.length / PAGE_BYTES;
    items = [];
    chunk.push(bytes);
    chunkBytes += bytes.length;
  };
  for (const item of plan.source.items()) {
    if (filling.opensPage(item[0].length, item[1].length)) close();
    items.push(item);
    if (chunkBytes < CHUNK_BYTES) continue;
    yield Buffer.concat(chunk);
    chunk = [];
    chunkBytes = 0;
  }
  close();
  for (const count of branchLevels(plan.leaves, plan.keyBytesMax)) {
    const parents: Child[] = [];
    for (let i = 0; i < count; i++) {
      // Spread evenly, so that no page is left with a single child.
      const from = Math.floor((i * children.length) / count);
      const below = children.slice(from, Math.floor(((i + 1) * children.length) / count));
      chunk.push(branchPage(page, below));
      parents.push({ page, firstKey: (below[0] as Child).firstKey });
      page++;
    }
    children = parents;
  }
  if (page !== plan.firstPage + plan.pages) throw new Error(`Bucket ${plan.source.name} changed while it was written`);
  yield Buffer.concat(chunk);
}

function emptyPage(id: number, flags: number): Buffer {
  const page = Buffer.alloc(PAGE_BYTES);
  writePageHeader(page, id, flags, 0, 0);
  return page;
}

function leafPage(id: number, items: readonly (readonly [Buffer, Buffer])[], itemFlags: number): Buffer {
  let bytes = PAGE_HEADER_BYTES + items.length * ELEMENT_BYTES;
  for (const [key, value] of items) bytes += key.length + value.length;
  const pages = Math.ceil(bytes / PAGE_BYTES);
  const page = Buffer.alloc(pages * PAGE_BYTES);
  writePageHeader(page, id, pageFlags.leaf, items.length, pages - 1);
  let element = PAGE_HEADER_BYTES;
  let position = PAGE_HEADER_BYTES + items.length * ELEMENT_BYTES;
  for (const [key, value] of items) {
    page.writeUInt32LE(itemFlags, element);
    // Positions count from the element itself.
    page.writeUInt32LE(position - element, element + 4);
    page.writeUInt32LE(key.length, element + 8);
    page.writeUInt32LE(value.length, element + 12);
    position += key.copy(page, position);
    position += value.copy(page, position);
    element += ELEMENT_BYTES;
  }
  return page;
}

function branchPage(id: number, children: readonly Child[]): Buffer {
  const page = emptyPage(id, pageFlags.branch);
  page.writeUInt16LE(children.length, 10);
  let element = PAGE_HEADER_BYTES;
  let position = PAGE_HEADER_BYTES + children.length * ELEMENT_BYTES;
  for (const child of children) {
    page.writeUInt32LE(position - element, element);
    page.writeUInt32LE(child.firstKey.length, element + 4);
    page.writeBigUInt64LE(BigInt(child.page), element + 8);
    position += child.firstKey.copy(page, position);
    element += ELEMENT_BYTES;
  }
  return page;
}
