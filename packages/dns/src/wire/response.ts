import { type Answer, encode } from 'dns-packet';
import { FLAG, type Header, type Query, RCODE, TYPE_OPT } from './query.ts';
import { HEADER_BYTES, type Scanned, type ScannedRecord, scanMessage } from './scan.ts';

/** What UDP clients without EDNS0 can take. */
const UDP_BYTES_MIN = 512;
/** The most that is sent in one UDP message, whatever the client would take (CoreDNS). */
const UDP_BYTES_MAX = 4096;
const TCP_BYTES_MAX = 65_535;
/** What we tell others about ourselves; larger ones would be fragmented on most paths. */
export const EDNS_BYTES = 1232;
const OPT_BYTES = 11;
/** Compression pointers have 14 bits. */
const POINTER_MAX = 0x3fff;

export interface Sections {
  readonly rcode: number;
  readonly authoritative: boolean;
  readonly answers: readonly Answer[];
  readonly authorities: readonly Answer[];
  readonly additionals: readonly Answer[];
}

/** A response to `query` made of records of ours; see `finish` for what is still missing. */
export function encodeResponse(query: Query, sections: Sections): Buffer {
  const { rcode, authoritative, answers, authorities, additionals } = sections;
  const plain = encode({
    type: 'response',
    flags: rcode | FLAG.RECURSION_AVAILABLE | (authoritative ? FLAG.AUTHORITATIVE : 0),
    answers: [...answers],
    authorities: [...authorities],
    additionals: [...additionals],
  });
  const scanned = scanMessage(plain);
  if (scanned === undefined) throw new Error('Cannot encode a response: a record is malformed');
  return compressed(plain, scanned, query.question);
}

/** Puts the client's question in and replaces repeated owner names by pointers: dns-packet writes all in full. */
function compressed(plain: Buffer, { records }: Scanned, question: Buffer): Buffer {
  const header = Buffer.from(plain.subarray(0, HEADER_BYTES));
  header.writeUInt16BE(1, 4);
  const parts: Buffer[] = [header, question];
  let offset = HEADER_BYTES + question.length;
  const seen = new Map([[nameKey(question.subarray(0, -4)), HEADER_BYTES]]);
  for (const record of records) {
    const name = plain.subarray(record.start, record.ttlOffset - 4);
    const rest = plain.subarray(record.ttlOffset - 4, record.end);
    const known = seen.get(nameKey(name));
    if (known === undefined && offset <= POINTER_MAX) seen.set(nameKey(name), offset);
    const owner = known === undefined || name.length <= 2 ? name : Buffer.from([0xc0 | (known >> 8), known & 0xff]);
    parts.push(owner, rest);
    offset += owner.length + rest.length;
  }
  return Buffer.concat(parts, offset);
}

function nameKey(name: Buffer): string {
  return name.toString('latin1').toLowerCase();
}

/** A response without records, for requests that are not answered. */
export function encodeRefusal(rcode: number, header: Header, query: Query | undefined): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES + (query?.question.length ?? 0));
  bytes.writeUInt16BE((header.opcode << 11) | (rcode & 0xf), 2);
  if (query !== undefined) {
    bytes.writeUInt16BE(1, 4);
    query.question.copy(bytes, HEADER_BYTES);
  }
  return finish(bytes, header, query, 'udp', rcode);
}

/** An upstream's response, as old as it is, under the question of this client. */
export function relayed(message: Buffer, query: Query, ageSeconds: number): Buffer {
  const bytes = Buffer.from(message);
  query.question.copy(bytes, HEADER_BYTES);
  for (const { type, ttl, ttlOffset } of scanMessage(bytes)?.records ?? []) {
    if (type !== TYPE_OPT) bytes.writeUInt32BE(Math.max(0, ttl - ageSeconds), ttlOffset);
  }
  return bytes;
}

/** Gives a response its id and flags, cuts it to what the client can take, and adds the EDNS0 record it expects. */
export function finish(
  response: Buffer,
  request: Pick<Header, 'id' | 'recursionDesired'>,
  query: Query | undefined,
  transport: 'udp' | 'tcp',
  rcode: number = response.readUInt16BE(2) & 0xf,
): Buffer {
  const edns = query?.edns;
  const offered = Math.min(UDP_BYTES_MAX, Math.max(UDP_BYTES_MIN, edns?.sizeBytes ?? 0));
  const sizeMax = (transport === 'udp' ? offered : TCP_BYTES_MAX) - (edns === undefined ? 0 : OPT_BYTES);
  const cut = response.length <= sizeMax ? Buffer.from(response) : cutTo(response, sizeMax);
  cut.writeUInt16BE(request.id, 0);
  const kept = cut.readUInt16BE(2) & ~(FLAG.RECURSION_DESIRED | FLAG.CHECKING_DISABLED);
  const copied =
    (request.recursionDesired ? FLAG.RECURSION_DESIRED : 0) | (query?.checkingDisabled ? FLAG.CHECKING_DISABLED : 0);
  cut.writeUInt16BE(kept | copied | FLAG.RESPONSE, 2);
  if (edns === undefined) return cut;
  cut.writeUInt16BE(cut.readUInt16BE(10) + 1, 10);
  return Buffer.concat([cut, optRecord(EDNS_BYTES, rcode === RCODE.BADVERS ? 1 : 0, edns.dnssecOk)]);
}

export function optRecord(sizeBytes: number, extendedRcode: number, dnssecOk: boolean): Buffer {
  const record = Buffer.alloc(OPT_BYTES);
  record.writeUInt16BE(TYPE_OPT, 1);
  record.writeUInt16BE(sizeBytes, 3);
  record.writeUInt8(extendedRcode, 5);
  record.writeUInt16BE(dnssecOk ? 0x8000 : 0, 7);
  return record;
}

/** Drops records from the end until it fits. Additional records are a courtesy; all others are missed, and TC says so. */
function cutTo(response: Buffer, sizeMax: number): Buffer {
  const scanned = scanMessage(response);
  if (scanned === undefined) throw new Error('Cannot cut a response: it is malformed');
  const kept = scanned.records.filter(({ end }) => end <= sizeMax);
  const missed = scanned.records.slice(kept.length).some(({ section }) => section !== 'additional');
  const bytes = withRecords(response, scanned, kept);
  if (missed) bytes.writeUInt16BE(bytes.readUInt16BE(2) | FLAG.TRUNCATED, 2);
  return bytes;
}

/** The message with only its first records, `kept`. */
export function withRecords(message: Buffer, { questionEnd }: Scanned, kept: readonly ScannedRecord[]): Buffer {
  const bytes = Buffer.from(message.subarray(0, kept.at(-1)?.end ?? questionEnd));
  const count = (wanted: ScannedRecord['section']) => kept.filter(({ section }) => section === wanted).length;
  bytes.writeUInt16BE(count('answer'), 6);
  bytes.writeUInt16BE(count('authority'), 8);
  bytes.writeUInt16BE(count('additional'), 10);
  return bytes;
}
