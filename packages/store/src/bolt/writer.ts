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
const ITEMS_PER_SLICE = 2000;
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

  /** Second pass: the file in chunks. Each is overwritten by the next: whoever keeps one must copy it. */
  *write(): Generator<Buffer, void> {
    const pages = new PageBuffer();
    this.#meta(pages, 0);
    this.#meta(pages, 1);
    writePageHeader(pages.take(PAGE_BYTES), FREELIST_PAGE, pageFlags.freelist, 0, 0);
    this.#root(pages);
    for (const plan of this.#plans) yield* writeBucket(plan, pages);
    yield pages.filled();
  }

  #meta(pages: PageBuffer, id: number): void {
    const page = pages.take(PAGE_BYTES);
    writePageHeader(page, id, pageFlags.meta, 0, 0);
    const meta = page.subarray(PAGE_HEADER_BYTES);
    meta.writeUInt32LE(META_MAGIC, 0);
    meta.writeUInt32LE(META_VERSION, 4);
    meta.writeUInt32LE(PAGE_BYTES, 8);
    meta.writeBigUInt64LE(BigInt(ROOT_PAGE), 16);
    meta.writeBigUInt64LE(BigInt(FREELIST_PAGE), 32);
    meta.writeBigUInt64LE(BigInt(this.#pages), 40);
    meta.writeBigUInt64LE(BigInt(id), 48);
    meta.writeBigUInt64LE(fnv64(meta.subarray(0, META_BYTES)), META_BYTES);
  }

  #root(pages: PageBuffer): void {
    const items = this.#plans.map(({ source, rootPage }) => {
      const value = Buffer.alloc(BUCKET_BYTES);
      value.writeBigUInt64LE(BigInt(rootPage), 0);
      return [Buffer.from(source.name), value] as const;
    });
    const written = leafPage(pages, ROOT_PAGE, items, BUCKET_FLAG);
    if (written !== 1) throw new Error(`Cannot write ${items.length} buckets: they must fit in a page`);
  }
}

/**
 * Pages on their way out. One buffer serves a whole backup: a new one for each page would have the garbage collector
 * walk the whole state again and again.
 */
class PageBuffer {
  #buffer = Buffer.alloc(CHUNK_BYTES + PAGE_BYTES);
  #used = 0;

  get full(): boolean {
    return this.#used >= CHUNK_BYTES;
  }

  /** So many bytes of zeros, to be written now. */
  take(bytes: number): Buffer {
    if (this.#used + bytes > this.#buffer.length) {
      const larger = Buffer.alloc(this.#used + bytes);
      this.#buffer.copy(larger, 0, 0, this.#used);
      this.#buffer = larger;
    }
    const page = this.#buffer.subarray(this.#used, this.#used + bytes).fill(0);
    this.#used += bytes;
    return page;
  }

  /** All that was taken since the last time. */
  filled(): Buffer {
    const bytes = this.#buffer.subarray(0, this.#used);
    this.#used = 0;
    return bytes;
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

function* writeBucket(plan: BucketPlan, pages: PageBuffer): Generator<Buffer, void> {
  const filling = new LeafFilling();
  let page = plan.firstPage;
  let items: (readonly [Buffer, Buffer])[] = [];
  let children: Child[] = [];
  const close = () => {
    children.push({ page, firstKey: items[0]?.[0] ?? Buffer.alloc(0) });
    page += leafPage(pages, page, items, 0);
    items = [];
  };
  for (const item of plan.source.items()) {
    if (filling.opensPage(item[0].length, item[1].length)) close();
    items.push(item);
    if (pages.full) yield pages.filled();
  }
  close();
  for (const count of branchLevels(plan.leaves, plan.keyBytesMax)) {
    const parents: Child[] = [];
    for (let i = 0; i < count; i++) {
      // Spread evenly, so that no page is left with a single child.
      const from = Math.floor((i * children.length) / count);
      const below = children.slice(from, Math.floor(((i + 1) * children.length) / count));
      branchPage(pages, page, below);
      if (pages.full) yield pages.filled();
      parents.push({ page, firstKey: (below[0] as Child).firstKey });
      page++;
    }
    children = parents;
  }
  if (page !== plan.firstPage + plan.pages) throw new Error(`Bucket ${plan.source.name} changed while it was written`);
}

/** @returns the number of pages it took */
function leafPage(
  to: PageBuffer,
  id: number,
  items: readonly (readonly [Buffer, Buffer])[],
  itemFlags: number,
): number {
  let bytes = PAGE_HEADER_BYTES + items.length * ELEMENT_BYTES;
  for (const [key, value] of items) bytes += key.length + value.length;
  const pages = Math.ceil(bytes / PAGE_BYTES);
  const page = to.take(pages * PAGE_BYTES);
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
  return pages;
}

function branchPage(to: PageBuffer, id: number, children: readonly Child[]): void {
  const page = to.take(PAGE_BYTES);
  writePageHeader(page, id, pageFlags.branch, children.length, 0);
  let element = PAGE_HEADER_BYTES;
  let position = PAGE_HEADER_BYTES + children.length * ELEMENT_BYTES;
  for (const child of children) {
    page.writeUInt32LE(position - element, element);
    page.writeUInt32LE(child.firstKey.length, element + 4);
    page.writeBigUInt64LE(BigInt(child.page), element + 8);
    position += child.firstKey.copy(page, position);
    element += ELEMENT_BYTES;
  }
}
