/** A file, folder or link inside an image layer. Paths have no leading slash; missing parent folders are added. */
export type LayerEntry =
  | { readonly kind: 'file'; readonly path: string; readonly mode: number; readonly content: Content }
  | { readonly kind: 'folder'; readonly path: string; readonly mode: number }
  | { readonly kind: 'link'; readonly path: string; readonly target: string };

/** One piece, or several that follow each other: a layer of 120 MB is never joined in memory. */
export type Content = Uint8Array | readonly Uint8Array[];

/**
 * A tar archive as a list of pieces (contents are not copied). The same entries always give the same bytes: owners are
 * root and times are zero, so that layers and images have stable digests.
 */
export function tarPieces(entries: readonly LayerEntry[]): readonly Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (const entry of withParents(entries)) {
    const content = entry.kind === 'file' ? piecesOf(entry.content) : [];
    const size = content.reduce((total, piece) => total + piece.length, 0);
    pieces.push(header(entry, size), ...content, new Uint8Array(-size & (BLOCK_BYTES - 1)));
  }
  pieces.push(new Uint8Array(2 * BLOCK_BYTES));
  return pieces;
}

function piecesOf(content: Content): readonly Uint8Array[] {
  return content instanceof Uint8Array ? [content] : content;
}

const BLOCK_BYTES = 512;
const NAME_BYTES_MAX = 100;

function withParents(entries: readonly LayerEntry[]): readonly LayerEntry[] {
  const seen = new Set(entries.filter((entry) => entry.kind === 'folder').map((entry) => entry.path));
  const all: LayerEntry[] = [];
  for (const entry of entries) {
    const parts = entry.path.split('/');
    for (let depth = 1; depth < parts.length; depth++) {
      const path = parts.slice(0, depth).join('/');
      if (seen.has(path)) continue;
      seen.add(path);
      all.push({ kind: 'folder', path, mode: 0o755 });
    }
    all.push(entry);
  }
  return all;
}

const typeFlags = { file: '0', link: '2', folder: '5' } as const;

function header(entry: LayerEntry, size: number): Uint8Array {
  const block = new Uint8Array(BLOCK_BYTES);
  const text = new TextEncoder();
  const put = (value: string, offset: number, bytesMax: number): void => {
    const bytes = text.encode(value);
    if (bytes.length > bytesMax)
      throw new Error(`Cannot archive "${entry.path}": "${value}" is longer than ${bytesMax} bytes`);
    block.set(bytes, offset);
  };
  const octal = (value: number, width: number): string => value.toString(8).padStart(width, '0');
  put(entry.kind === 'folder' ? `${entry.path}/` : entry.path, 0, NAME_BYTES_MAX);
  put(octal(entry.kind === 'link' ? 0o777 : entry.mode, 7), 100, 7);
  put(octal(0, 7), 108, 7);
  put(octal(0, 7), 116, 7);
  put(octal(size, 11), 124, 11);
  put(octal(0, 11), 136, 11);
  put('        ', 148, 8);
  put(typeFlags[entry.kind], 156, 1);
  if (entry.kind === 'link') put(entry.target, 157, NAME_BYTES_MAX);
  put('ustar', 257, 5);
  put('00', 263, 2);
  const sum = block.reduce((total, byte) => total + byte, 0);
  put(`${octal(sum, 6)}\0 `, 148, 8);
  return block;
}
