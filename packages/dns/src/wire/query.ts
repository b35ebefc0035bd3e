import { HEADER_BYTES, type Scanned, scanMessage } from './scan.ts';

/** One question that can be answered. */
export interface Query {
  readonly id: number;
  readonly recursionDesired: boolean;
  readonly checkingDisabled: boolean;
  /** The bytes of the question as the client wrote them. */
  readonly question: Buffer;
  /** Lower-case labels. */
  readonly name: readonly string[];
  readonly type: number;
  /** Absent when the client does not speak EDNS0. */
  readonly edns: { readonly sizeBytes: number; readonly dnssecOk: boolean } | undefined;
}

export type ParsedQuery =
  | { readonly kind: 'query'; readonly query: Query }
  | { readonly kind: 'refused'; readonly rcode: number; readonly query: Query | undefined; readonly header: Header }
  /** No request at all: answering it could start an endless exchange. */
  | { readonly kind: 'ignored' };

export interface Header {
  readonly id: number;
  readonly opcode: number;
  readonly recursionDesired: boolean;
}

export const RCODE = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
  BADVERS: 16,
} as const;
export const FLAG = {
  RESPONSE: 0x8000,
  AUTHORITATIVE: 0x0400,
  TRUNCATED: 0x0200,
  RECURSION_DESIRED: 0x0100,
  RECURSION_AVAILABLE: 0x0080,
  CHECKING_DISABLED: 0x0010,
} as const;
export const TYPE_OPT = 41;
const TYPE_IXFR = 251;
const TYPE_AXFR = 252;
const CLASS_IN = 1;

export function parseQuery(bytes: Buffer): ParsedQuery {
  if (bytes.length < HEADER_BYTES) return { kind: 'ignored' };
  const flags = bytes.readUInt16BE(2);
  if ((flags & FLAG.RESPONSE) !== 0) return { kind: 'ignored' };
  const header: Header = {
    id: bytes.readUInt16BE(0),
    opcode: (flags >> 11) & 0xf,
    recursionDesired: (flags & FLAG.RECURSION_DESIRED) !== 0,
  };
  const scanned = scanMessage(bytes);
  const query = scanned === undefined ? undefined : queryOf(bytes, scanned);
  const refused = (rcode: number): ParsedQuery => ({ kind: 'refused', rcode, query, header });
  if (header.opcode !== 0) return refused(RCODE.NOTIMP);
  if (scanned?.question === undefined || query === undefined) return refused(RCODE.FORMERR);
  const options = scanned.records.filter(({ type }) => type === TYPE_OPT);
  if (options.length > 1) return refused(RCODE.FORMERR);
  // The version is the second byte of what is the TTL of other records.
  if ((((options[0]?.ttl ?? 0) >> 16) & 0xff) !== 0) return refused(RCODE.BADVERS);
  const { type, class: asked } = scanned.question;
  if (asked !== CLASS_IN || type === TYPE_AXFR || type === TYPE_IXFR) return refused(RCODE.REFUSED);
  return { kind: 'query', query };
}

function queryOf(bytes: Buffer, { id, flags, question, questionEnd, records }: Scanned): Query | undefined {
  if (question === undefined) return undefined;
  const option = records.find(({ type }) => type === TYPE_OPT);
  return {
    id,
    recursionDesired: (flags & FLAG.RECURSION_DESIRED) !== 0,
    checkingDisabled: (flags & FLAG.CHECKING_DISABLED) !== 0,
    question: bytes.subarray(HEADER_BYTES, questionEnd),
    name: question.labels.map((label) => label.toLowerCase()),
    type: question.type,
    edns: option === undefined ? undefined : { sizeBytes: option.class, dnssecOk: (option.ttl & 0x8000) !== 0 },
  };
}
