import type { Refusal } from '../mvcc/refusal.ts';
import { storeErrors } from '../schema/errors.ts';

/** gRPC's status codes, as far as we answer with them ourselves; the store's own are in `schema/errors.ts`. */
export const grpcCodes = {
  ok: 0,
  invalidArgument: 3,
  deadlineExceeded: 4,
  resourceExhausted: 8,
  failedPrecondition: 9,
  unimplemented: 12,
  internal: 13,
} as const;

export interface GrpcStatus {
  readonly code: number;
  readonly message: string;
}

export const OK: GrpcStatus = { code: grpcCodes.ok, message: '' };

/** Texts that stand alone: official clients turn a text they know into a typed error, so nothing may be added to it. */
export function statusOf({ refused, detail }: Refusal): GrpcStatus {
  const { grpcCode: code, message } = storeErrors[refused];
  const ours = refused === 'invalidArgument' || refused === 'unavailable' || refused === 'unimplemented';
  return { code, message: ours && detail !== undefined ? `${message}: ${detail}` : message };
}

/** `grpc-message` as the protocol wants it: UTF-8, with everything but printable ASCII, and "%", as %XX. */
export function encodeMessage(message: string): string {
  if (/^[ -$&-~]*$/.test(message)) return message;
  let encoded = '';
  for (const byte of Buffer.from(message, 'utf8')) {
    const plain = byte >= 0x20 && byte <= 0x7e && byte !== 0x25;
    encoded += plain ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return encoded;
}

const TIMEOUT_UNITS_MS: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1_000,
  m: 1,
  u: 1e-3,
  n: 1e-6,
};

/** Milliseconds of a `grpc-timeout` header; undefined if it is none. Rounded up: a client's deadline is never early. */
export function parseTimeout(text: string): number | undefined {
  const found = /^(\d{1,8})([HMSmun])$/.exec(text);
  const unit = TIMEOUT_UNITS_MS[found?.[2] ?? ''];
  return found === null || unit === undefined ? undefined : Math.ceil(Number(found[1]) * unit);
}
