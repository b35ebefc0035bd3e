/** Reading and changing DNS messages where they lie, so that record types nobody here knows pass unharmed. */

const HEADER_BYTES = 12;
const OPT = 41;
const POINTER = 0xc0;

export interface WireQuestion {
  /** Lower case, without the final dot. */
  readonly name: string;
  readonly type: number;
  readonly class: number;
  /** Where the question ends in the message. */
  readonly end: number;
}

export interface Edns {
  readonly payloadBytes: number;
  /** The client wants DNSSEC records. */
  readonly wantsSignatures: boolean;
}

interface Section {
  readonly ttlAt: number;
  readonly type: number;
  readonly ttl: number;
  readonly class: number;
}

function view(message: Uint8Array): DataView {
  return new DataView(message.buffer, message.byteOffset, message.byteLength);
}

export function idOf(message: Uint8Array): number {
  return view(message).getUint16(0);
}

export function rcodeOf(message: Uint8Array): number {
  return (message[3] ?? 0) & 0x0f;
}

export function isTruncated(message: Uint8Array): boolean {
  return ((message[2] ?? 0) & 0x02) !== 0;
}

/** The message's only question; undefined when it has none, several, or is cut short. */
export function questionOf(message: Uint8Array): WireQuestion | undefined {
  if (message.byteLength < HEADER_BYTES || view(message).getUint16(4) !== 1) return undefined;
  let name = '';
  let at = HEADER_BYTES;
  for (let length = message[at] ?? 0; length > 0; length = message[at] ?? 0) {
    if (length >= POINTER || at + length + 1 >= message.byteLength) return undefined;
    for (let i = at + 1; i <= at + length; i++) name += String.fromCharCode(message[i] ?? 0);
    name += '.';
    at += length + 1;
  }
  if (at + 5 > message.byteLength) return undefined;
  const type = view(message).getUint16(at + 1);
  return { name: name.slice(0, -1).toLowerCase(), type, class: view(message).getUint16(at + 3), end: at + 5 };
}

/** The records after the question; stops at the first that is cut short. */
function* records(message: Uint8Array): Generator<Section> {
  const question = questionOf(message);
  if (question === undefined) return;
  const data = view(message);
  const count = data.getUint16(6) + data.getUint16(8) + data.getUint16(10);
  let at = question.end;
  for (let index = 0; index < count; index++) {
    while (at < message.byteLength && (message[at] ?? 0) > 0 && (message[at] ?? 0) < POINTER)
      at += (message[at] ?? 0) + 1;
    at += (message[at] ?? 0) >= POINTER ? 2 : 1;
    if (at + 10 > message.byteLength) return;
    yield { type: data.getUint16(at), class: data.getUint16(at + 2), ttlAt: at + 4, ttl: data.getUint32(at + 4) };
    at += 10 + data.getUint16(at + 8);
  }
}

export function ednsOf(message: Uint8Array): Edns | undefined {
  for (const record of records(message)) {
    if (record.type === OPT) return { payloadBytes: record.class, wantsSignatures: (record.ttl & 0x8000) !== 0 };
  }
  return undefined;
}

/** The shortest time to live of the message's records in seconds; undefined when it has none. */
export function shortestTtl(message: Uint8Array): number | undefined {
  let shortest: number | undefined;
  for (const { type, ttl } of records(message)) {
    if (type !== OPT && (shortest === undefined || ttl < shortest)) shortest = ttl;
  }
  return shortest;
}

/** A copy with another id; the question as the client wrote it, whose letters' case it may check. */
export function readdressed(message: Uint8Array, query: Uint8Array): Uint8Array {
  const copy = message.slice();
  view(copy).setUint16(0, idOf(query));
  const asked = questionOf(query);
  const answered = questionOf(message);
  if (asked !== undefined && answered !== undefined && asked.end === answered.end) {
    copy.set(query.subarray(HEADER_BYTES, asked.end), HEADER_BYTES);
  }
  return copy;
}

/** Takes the time a message has been kept off its records' time to live, in place. */
export function age(message: Uint8Array, seconds: number): void {
  const data = view(message);
  for (const { type, ttl, ttlAt } of records(message)) {
    if (type !== OPT) data.setUint32(ttlAt, Math.max(0, ttl - seconds));
  }
}

/** Only header and question, marked as cut short: the client asks again over TCP. */
export function truncated(message: Uint8Array): Uint8Array {
  const copy = message.slice(0, questionOf(message)?.end ?? HEADER_BYTES);
  copy[2] = (copy[2] ?? 0) | 0x02;
  copy.fill(0, 6, HEADER_BYTES);
  return copy;
}
