/**
 * bbolt's file format, version 2, little endian: pages of one size. Two meta pages (the valid one with the higher
 * transaction counts), a list of free pages, and B+trees: leaf pages hold items, branch pages the first key and the
 * place of each page below. A bucket is an item of the root tree whose value names the root page of its own tree.
 * A page that holds something larger than a page goes on over the following ones ("overflow").
 */
export const PAGE_BYTES = 4096;
export const PAGE_HEADER_BYTES = 16;
/** In front of the items, for each: where it is. */
export const ELEMENT_BYTES = 16;
/** A bucket's value: its root page, and a counter that etcd does not use. */
export const BUCKET_BYTES = 16;
/** Flag of an item that is a bucket. */
export const BUCKET_FLAG = 1;
/** Most items in a page: their number has 16 bits, of which bbolt keeps the last value for the free list. */
export const PAGE_ITEMS_MAX = 0xfffe;

export const pageFlags = { branch: 1, leaf: 2, meta: 4, freelist: 16 } as const;

export const META_MAGIC = 0xed0c_daed;
export const META_VERSION = 2;
/** A meta page's content up to its checksum. */
export const META_BYTES = 56;

export function writePageHeader(page: Buffer, id: number, flags: number, count: number, overflow: number): void {
  page.writeBigUInt64LE(BigInt(id), 0);
  page.writeUInt16LE(flags, 8);
  page.writeUInt16LE(count, 10);
  page.writeUInt32LE(overflow, 12);
}

const FNV_OFFSET = 0xcbf2_9ce4_8422_2325n;
const FNV_PRIME = 0x100_0000_01b3n;

/** FNV-1a of 64 bits: a meta page's checksum. */
export function fnv64(bytes: Buffer): bigint {
  let hash = FNV_OFFSET;
  for (const byte of bytes) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * FNV_PRIME);
  return hash;
}
