/** Where things are in a message, so that it can be passed on, aged and cut without being understood. */
export interface Scanned {
  readonly id: number;
  readonly flags: number;
  /** End of the only question; 12 when there is none. */
  readonly questionEnd: number;
  readonly question: ScannedQuestion | undefined;
  readonly records: readonly ScannedRecord[];
}

export interface ScannedQuestion {
  /** As sent, with its case. */
  readonly labels: readonly string[];
  readonly type: number;
  readonly class: number;
}

export interface ScannedRecord {
  readonly section: 'answer' | 'authority' | 'additional';
  readonly start: number;
  readonly type: number;
  /** For OPT records the sender's largest UDP message. */
  readonly class: number;
  readonly ttlOffset: number;
  readonly ttl: number;
  readonly dataStart: number;
  readonly end: number;
}

export const HEADER_BYTES = 12;
const SECTIONS = ['answer', 'authority', 'additional'] as const;
const NAME_BYTES_MAX = 255;

class Malformed extends Error {}

/** @returns undefined when the bytes are no DNS message with at most one question */
export function scanMessage(bytes: Buffer): Scanned | undefined {
  try {
    return scan(bytes);
  } catch (error) {
    // Reads behind the end of a buffer throw RangeError: a message that ends too early is malformed too.
    if (error instanceof Malformed || error instanceof RangeError) return undefined;
    throw error;
  }
}

function scan(bytes: Buffer): Scanned {
  const questions = bytes.readUInt16BE(4);
  if (questions > 1) throw new Malformed();
  let offset = HEADER_BYTES;
  let question: ScannedQuestion | undefined;
  if (questions === 1) {
    const { labels, end, pointed } = readName(bytes, offset);
    // There is nothing before the question to point to, and its bytes are used in other messages.
    if (pointed) throw new Malformed();
    question = { labels, type: bytes.readUInt16BE(end), class: bytes.readUInt16BE(end + 2) };
    offset = end + 4;
  }
  const questionEnd = offset;
  const records: ScannedRecord[] = [];
  SECTIONS.forEach((section, index) => {
    for (let left = bytes.readUInt16BE(6 + 2 * index); left > 0; left--) {
      const record = readRecord(bytes, offset, section);
      records.push(record);
      offset = record.end;
    }
  });
  return { id: bytes.readUInt16BE(0), flags: bytes.readUInt16BE(2), questionEnd, question, records };
}

function readRecord(bytes: Buffer, start: number, section: ScannedRecord['section']): ScannedRecord {
  const { end: nameEnd } = readName(bytes, start);
  const dataStart = nameEnd + 10;
  const end = dataStart + bytes.readUInt16BE(nameEnd + 8);
  if (end > bytes.length) throw new Malformed();
  return {
    section,
    start,
    type: bytes.readUInt16BE(nameEnd),
    class: bytes.readUInt16BE(nameEnd + 2),
    ttlOffset: nameEnd + 4,
    ttl: bytes.readUInt32BE(nameEnd + 4),
    dataStart,
    end,
  };
}

interface ScannedName {
  readonly labels: readonly string[];
  readonly end: number;
  readonly pointed: boolean;
}

/** Reads a name without following compression pointers: they end it here. */
function readName(bytes: Buffer, start: number): ScannedName {
  const labels: string[] = [];
  for (let offset = start; ; ) {
    const length = bytes.readUInt8(offset);
    if (length === 0) return { labels, end: offset + 1, pointed: false };
    if (length >= 0xc0) {
      bytes.readUInt8(offset + 1);
      return { labels, end: offset + 2, pointed: true };
    }
    const end = offset + 1 + length;
    if (length > 63 || end > bytes.length || end - start >= NAME_BYTES_MAX) throw new Malformed();
    labels.push(bytes.toString('latin1', offset + 1, end));
    offset = end;
  }
}
