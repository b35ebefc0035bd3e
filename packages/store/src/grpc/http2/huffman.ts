import { MalformedBytes } from '../../schema/bytes.ts';

/**
 * Lengths of HPACK's code words in bits, for bytes 0 to 255 and the end mark (RFC 7541, appendix B), as runs of
 * `length×count`. The code is canonical: words of one length follow each other in order of their bytes.
 */
const LENGTH_RUNS =
  '13 23 28×7 24 30 28×2 30 28×8 30 28×9 6 10×2 12 13 6 8 11 10×2 8 11 8 6×3 5×3 6×7 7 8 15 6 12 10 13 6 7×22 8 7 8 ' +
  '13 19 13 14 6 15 5 6 5 6 5 6×3 5 7×2 6×3 5 6 7 6 5×2 6 7×5 15 11 14 13 28 20 22 20×2 22×3 23 22 23×5 24 23 24×2 ' +
  '22 23 24 23×4 21 22 23 22 23×2 24 22 21 20 22×2 23×2 21 23 22×2 24 21 22 23×2 21×2 22 21 23 22 23×2 20 22×3 23 ' +
  '22×2 23 26×2 20 19 22 23 22 25 26×3 27×2 26 24 25 19 21 26 27×2 26 27 24 21×2 26×2 28 27×3 20 24 20 21 22 21×2 ' +
  '23 22×2 25×2 24×2 26 23 26 27 26×2 27×5 28 27×5 26 30';
const END_MARK = 256;
const WORD_BITS_MAX = 30;
const PADDING_BITS_MAX = 7;

/** Two children per node, by bit: the number of another node, or -1 - byte for a leaf. */
const tree = buildTree();

/** @throws MalformedBytes */
export function decodeHuffman(bytes: Buffer, start: number, end: number): string {
  let text = '';
  let node = 0;
  let depth = 0;
  let ones = true;
  for (let i = start; i < end; i++) {
    const byte = bytes[i] as number;
    for (let bit = 7; bit >= 0; bit--) {
      const one = (byte >> bit) & 1;
      const next = tree[2 * node + one] as number;
      depth++;
      ones = ones && one === 1;
      if (next >= 0) {
        node = next;
        continue;
      }
      if (next === -1 - END_MARK) throw new MalformedBytes('the end mark inside a text');
      text += String.fromCharCode(-1 - next);
      node = 0;
      depth = 0;
      ones = true;
    }
  }
  // What fills up the last byte is the beginning of the end mark.
  if (depth > PADDING_BITS_MAX || !ones) throw new MalformedBytes('a text that ends inside a character');
  return text;
}

function buildTree(): Int32Array {
  const lengths = LENGTH_RUNS.split(' ').flatMap((run) => {
    const [length = 0, count = 1] = run.split('×').map(Number);
    return Array.from({ length: count }, () => length);
  });
  if (lengths.length !== END_MARK + 1) throw new Error(`The code has ${lengths.length} words`);
  const nodes: number[] = [0, 0];
  let word = 0;
  for (let length = 1; length <= WORD_BITS_MAX; length++) {
    word *= 2;
    for (let symbol = 0; symbol <= END_MARK; symbol++) {
      if (lengths[symbol] === length) addWord(nodes, word++, length, symbol);
    }
  }
  return Int32Array.from(nodes);
}

function addWord(nodes: number[], word: number, length: number, symbol: number): void {
  let node = 0;
  for (let bit = length - 1; bit > 0; bit--) {
    const at = 2 * node + ((word >> bit) & 1);
    if (nodes[at] === 0) {
      nodes[at] = nodes.length / 2;
      nodes.push(0, 0);
    }
    node = nodes[at] as number;
  }
  nodes[2 * node + (word & 1)] = -1 - symbol;
}
