/** Tar archives are made of blocks of this size. */
export const BLOCK_BYTES = 512;

export interface TarEntry {
  readonly kind: 'file' | 'directory' | 'symlink' | 'other';
  readonly path: string;
  /** Permission bits. */
  readonly mode: number;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  /** Where a symbolic link leads. */
  readonly target: string;
}

/** Longest name of the plain header; longer ones come in an extended header before it. */
const NAME_BYTES_MAX = 100;
const SIZE_MAX = 0o77777777777;
const types = { file: '0', symlink: '2', directory: '5' } as const;

/** The header of an entry, with the extended header that its name may need. */
export function headerOf(entry: TarEntry): Buffer {
  const records = Object.entries({
    path: Buffer.byteLength(entry.path) > NAME_BYTES_MAX ? entry.path : undefined,
    linkpath: Buffer.byteLength(entry.target) > NAME_BYTES_MAX ? entry.target : undefined,
    size: entry.sizeBytes > SIZE_MAX ? String(entry.sizeBytes) : undefined,
  }).filter(([, value]) => value !== undefined);
  const plain = plainHeader(entry, entry.kind === 'other' ? '0' : types[entry.kind]);
  if (records.length === 0) return plain;
  const body = Buffer.from(records.map(([key, value]) => record(key, value ?? '')).join(''));
  const extended = { ...entry, path: 'PaxHeader', target: '', sizeBytes: body.length };
  return Buffer.concat([plainHeader(extended, 'x'), body, paddingOf(body.length), plain]);
}

/** `length key=value\n`, where the length counts itself. */
function record(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  let length = Buffer.byteLength(rest);
  while (length !== Buffer.byteLength(rest) + String(length).length)
    length = Buffer.byteLength(rest) + String(length).length;
  return `${length}${rest}`;
}

function plainHeader(entry: TarEntry, type: string): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES);
  const octal = (value: number, at: number, length: number) =>
    block.write(`${value.toString(8).padStart(length - 1, '0')}\0`, at, 'latin1');
  Buffer.from(entry.path).copy(block, 0, 0, NAME_BYTES_MAX);
  octal(entry.mode & 0o7777, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(Math.min(entry.sizeBytes, SIZE_MAX), 124, 12);
  octal(Math.max(0, Math.floor(entry.modifiedMs / 1000)), 136, 12);
  block.write('        ', 148, 'latin1');
  block.write(type, 156, 'latin1');
  Buffer.from(entry.target).copy(block, 157, 0, NAME_BYTES_MAX);
  block.write('ustar\x0000', 257, 'latin1');
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

/** What fills the last block of a body. */
export function paddingOf(sizeBytes: number): Buffer {
  return Buffer.alloc((BLOCK_BYTES - (sizeBytes % BLOCK_BYTES)) % BLOCK_BYTES);
}

/** The two empty blocks at an archive's end. */
export const END = Buffer.alloc(2 * BLOCK_BYTES);
