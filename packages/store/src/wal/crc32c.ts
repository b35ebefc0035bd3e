/** Castagnoli's polynomial, reflected. */
const POLYNOMIAL = 0x82f63b78;

const tables = makeTables();

/** CRC32C of a byte range, four bytes a step; pass an earlier result to go on from it. */
export function crc32c(bytes: Buffer, start = 0, end = bytes.length, previous = 0): number {
  const [t0, t1, t2, t3] = tables;
  let crc = ~previous;
  let i = start;
  for (const last = end - 3; i < last; i += 4) {
    crc ^= byteAt(bytes, i) | (byteAt(bytes, i + 1) << 8) | (byteAt(bytes, i + 2) << 16) | (byteAt(bytes, i + 3) << 24);
    crc = entry(t3, crc & 255) ^ entry(t2, (crc >>> 8) & 255) ^ entry(t1, (crc >>> 16) & 255) ^ entry(t0, crc >>> 24);
  }
  for (; i < end; i++) crc = entry(t0, (crc ^ byteAt(bytes, i)) & 255) ^ (crc >>> 8);
  return ~crc >>> 0;
}

function byteAt(bytes: Buffer, index: number): number {
  return bytes[index] as number;
}

function entry(table: Int32Array, index: number): number {
  return table[index] as number;
}

function makeTables(): readonly [Int32Array, Int32Array, Int32Array, Int32Array] {
  const first = Int32Array.from({ length: 256 }, (_, byte) => {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    return crc;
  });
  const shift = (table: Int32Array) => table.map((crc) => entry(first, crc & 255) ^ (crc >>> 8));
  const second = shift(first);
  const third = shift(second);
  return [first, second, third, shift(third)];
}
