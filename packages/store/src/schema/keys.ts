import type { Bytes } from './messages.ts';

/** `rangeEnd` that means "every key from `key` on". */
export const TO_THE_END: Buffer = Buffer.from([0]);

/** The first key after all keys that start with `prefix` (etcd's getPrefix). An empty or all-0xff prefix: to the end. */
export function prefixEnd(prefix: Bytes): Buffer {
  const end = Buffer.from(typeof prefix === 'string' ? Buffer.from(prefix, 'utf8') : prefix);
  for (let i = end.length - 1; i >= 0; i--) {
    const byte = end[i] ?? 0xff;
    if (byte < 0xff) {
      end[i] = byte + 1;
      return end.subarray(0, i + 1);
    }
  }
  return TO_THE_END;
}

/**
 * Keys inside the store are strings of one character per byte (latin1): V8 keeps them in one byte per character,
 * compares them with memcmp in byte order and hashes them natively, which no Buffer does.
 */
export type ByteString = string;

export function toByteString(bytes: Bytes): ByteString {
  if (typeof bytes === 'string') return Buffer.from(bytes, 'utf8').toString('latin1');
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

export function toBuffer(bytes: Bytes): Buffer {
  if (typeof bytes === 'string') return Buffer.from(bytes, 'utf8');
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
