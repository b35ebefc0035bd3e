import type { Json } from '../../patch/json.ts';
import { MAGIC } from './encode.ts';
import { ProtobufError } from './errors.ts';
import { type Message, messageAt, messageOf } from './messages.ts';
import { readMessage } from './read-message.ts';
import { Reader } from './reader.ts';

/** What a body is taken for if it does not name its kind. */
export interface KindName {
  readonly apiVersion: string;
  readonly kind: string;
}

/** The parts of a body: the kind it names, and where its message lies. */
interface Envelope extends KindName {
  readonly start: number;
  readonly end: number;
}

/**
 * A body in `application/vnd.kubernetes.protobuf` as the JSON value it stands for.
 * @throws ProtobufError
 */
export function decodeProtobuf(body: Buffer, fallback: KindName = { apiVersion: '', kind: '' }): Json {
  const envelope = readEnvelope(body);
  const kind = envelope.kind === '' ? fallback.kind : envelope.kind;
  const apiVersion = envelope.apiVersion === '' ? fallback.apiVersion : envelope.apiVersion;
  const message = messageOf(apiVersion, kind);
  if (message === undefined) {
    const text = `no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)} in scheme "pkg/api/legacyscheme/scheme.go:30"`;
    throw new ProtobufError(text, { named: { apiVersion, kind } });
  }
  const into: Record<string, Json> = kind === '' ? {} : { kind, apiVersion };
  try {
    return decodeMessage(message, body, envelope.start, envelope.end, into);
  } catch (cause) {
    throw cause instanceof ProtobufError
      ? new ProtobufError(cause.message, { cause, named: { apiVersion, kind } })
      : cause;
  }
}

/** A message without the envelope. @throws ProtobufError */
export function decodeMessage(
  message: Message,
  bytes: Buffer,
  start = 0,
  end = bytes.length,
  into: Record<string, Json> = {},
): Json {
  return readMessage(new Reader(bytes, start), messageAt(message.line), end, into, 0);
}

function readEnvelope(body: Buffer): Envelope {
  if (body.length === 0) {
    throw new ProtobufError('empty data');
  }
  if (body.length < MAGIC.length || body.compare(MAGIC, 0, MAGIC.length, 0, MAGIC.length) !== 0) {
    throw new ProtobufError('provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]');
  }
  if (body.length === MAGIC.length) {
    throw new ProtobufError('empty body');
  }
  let named: KindName = { apiVersion: '', kind: '' };
  let start = 0;
  let end = 0;
  const reader = new Reader(body, MAGIC.length);
  while (reader.at < body.length) {
    reader.next(body.length);
    if (reader.field === 1 && reader.wire === 2) {
      named = readKindName(reader, reader.open(body.length));
    } else if (reader.field === 2 && reader.wire === 2) {
      end = reader.open(body.length);
      start = reader.at;
      reader.at = end;
    } else {
      reader.skip(body.length);
    }
  }
  return { ...named, start, end };
}

function readKindName(reader: Reader, end: number): KindName {
  let apiVersion = '';
  let kind = '';
  while (reader.at < end) {
    reader.next(end);
    if (reader.wire === 2 && reader.field === 1) {
      apiVersion = reader.string(end);
    } else if (reader.wire === 2 && reader.field === 2) {
      kind = reader.string(end);
    } else {
      reader.skip(end);
    }
  }
  return { apiVersion, kind };
}
