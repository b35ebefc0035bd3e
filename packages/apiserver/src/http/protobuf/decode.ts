import { rfc3339 } from '@wherry/daemon';
import type { Json } from '../../patch/json.ts';
import {
  type FieldType,
  type Message,
  type MessageField,
  messageAt,
  messageOfKind,
  type ScalarCode,
} from './messages.ts';
import { ProtobufError, Reader } from './reader.ts';

/** Every body in upstream's protobuf form begins with these, then comes a runtime.Unknown message. */
const MAGIC = Buffer.from([0x6b, 0x38, 0x73, 0x00]);
const NESTING_MAX = 100;

/**
 * A body in `application/vnd.kubernetes.protobuf` as the JSON value it stands for.
 * @throws ProtobufError
 */
export function decodeProtobuf(body: Buffer): Json {
  if (body.length < MAGIC.length || body.compare(MAGIC, 0, MAGIC.length, 0, MAGIC.length) !== 0) {
    throw new ProtobufError('provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]');
  }
  let apiVersion = '';
  let kind = '';
  let raw: Buffer = Buffer.alloc(0);
  const reader = new Reader(body, MAGIC.length);
  while (!reader.done) {
    const { field, wire } = reader.tag();
    if (field === 1 && wire === 2) {
      ({ apiVersion, kind } = typeMeta(reader.bytes()));
    } else if (field === 2 && wire === 2) {
      raw = reader.bytes();
    } else {
      reader.skip(wire);
    }
  }
  const slash = apiVersion.indexOf('/');
  const group = slash === -1 ? '' : apiVersion.slice(0, slash);
  const message = messageOfKind(group, apiVersion.slice(slash + 1), kind);
  if (message === undefined) {
    throw new ProtobufError(`no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)}`);
  }
  return { ...(decodeMessage(message, raw, 0) as { readonly [key: string]: Json }), apiVersion, kind };
}

function typeMeta(bytes: Buffer): { apiVersion: string; kind: string } {
  const result = { apiVersion: '', kind: '' };
  const reader = new Reader(bytes);
  while (!reader.done) {
    const { field, wire } = reader.tag();
    if (wire === 2 && (field === 1 || field === 2)) {
      result[field === 1 ? 'apiVersion' : 'kind'] = reader.bytes().toString();
    } else {
      reader.skip(wire);
    }
  }
  return result;
}

function decodeMessage(message: Message, bytes: Buffer, depth: number): Json {
  if (depth > NESTING_MAX) {
    throw new ProtobufError(`a message is nested deeper than ${NESTING_MAX} levels`);
  }
  const result: Record<string, Json> = {};
  const reader = new Reader(bytes);
  while (!reader.done) {
    const { field: number, wire } = reader.tag();
    const field = message.fields.get(number);
    if (field === undefined) {
      reader.skip(wire);
    } else {
      readField(result, field, reader, wire, depth);
    }
  }
  return message.isList ? (result['items'] ?? []) : result;
}

function readField(
  result: Record<string, Json>,
  field: MessageField,
  reader: Reader,
  wire: number,
  depth: number,
): void {
  const { type, name } = field;
  if (type.kind === 'map') {
    const [key, value] = readMapEntry(type.values, reader.bytes(), depth);
    const map = (result[name] ?? {}) as Record<string, Json>;
    Object.defineProperty(map, key, { value, enumerable: true, configurable: true, writable: true });
    result[name] = map;
    return;
  }
  const value = readValue(type, reader, wire, depth);
  if (field.inline) {
    Object.assign(result, value);
  } else if (field.repeated) {
    const list = (result[name] ?? []) as Json[];
    list.push(value);
    result[name] = list;
  } else if (!(field.omitEmpty && isZero(value))) {
    result[name] = value;
  }
}

function isZero(value: Json): boolean {
  return value === '' || value === 0 || value === false || value === null;
}

function readMapEntry(values: FieldType, bytes: Buffer, depth: number): [string, Json] {
  let key = '';
  let value: Json | undefined;
  const reader = new Reader(bytes);
  while (!reader.done) {
    const { field, wire } = reader.tag();
    if (field === 1) {
      key = reader.bytes().toString();
    } else if (field === 2) {
      value = readValue(values, reader, wire, depth);
    } else {
      reader.skip(wire);
    }
  }
  return [key, value ?? (values.kind === 'scalar' ? emptyScalar(values.code) : {})];
}

function emptyScalar(code: ScalarCode): Json {
  return code === 's' || code === 'y' ? '' : code === 'q' ? '0' : null;
}

function readValue(type: FieldType, reader: Reader, wire: number, depth: number): Json {
  if (type.kind === 'message') {
    return decodeMessage(messageAt(type.line), reader.bytes(), depth + 1);
  }
  if (type.kind === 'map') {
    throw new ProtobufError('a map stands where none can be');
  }
  return readScalar(type.code, reader, wire, depth);
}

function readScalar(code: ScalarCode, reader: Reader, wire: number, depth: number): Json {
  switch (code) {
    case 's':
      return reader.bytes().toString();
    case 'y':
      return reader.bytes().toString('base64');
    case 'b':
      return reader.varint() !== 0n;
    case 'i':
      return Number(reader.varint());
    case 'd':
      if (wire !== 1) {
        throw new ProtobufError(`proto: wrong wireType = ${wire} for a double`);
      }
      return reader.double();
    default:
      return readSpecial(code, reader.bytes(), depth);
  }
}

/** The fields of the small messages below, by number; scalars only. */
function plainFields(bytes: Buffer): Map<number, bigint | Buffer> {
  const fields = new Map<number, bigint | Buffer>();
  const reader = new Reader(bytes);
  while (!reader.done) {
    const { field, wire } = reader.tag();
    if (wire === 0) {
      fields.set(field, reader.varint());
    } else if (wire === 2) {
      fields.set(field, reader.bytes());
    } else {
      reader.skip(wire);
    }
  }
  return fields;
}

function readSpecial(code: Exclude<ScalarCode, 's' | 'y' | 'b' | 'i' | 'd'>, bytes: Buffer, depth: number): Json {
  const fields = plainFields(bytes);
  const text = (number: number): string => {
    const value = fields.get(number);
    return Buffer.isBuffer(value) ? value.toString() : '';
  };
  const integer = (number: number): number => {
    const value = fields.get(number);
    return typeof value === 'bigint' ? Number(value) : 0;
  };
  switch (code) {
    case 'q':
      return text(1) === '' ? '0' : text(1);
    case 't':
      return fields.size === 0 ? null : rfc3339(integer(1) * 1000);
    case 'm':
      return fields.size === 0 ? null : microTime(integer(1), integer(2));
    case 'x':
      return integer(1) === 0 ? integer(2) : text(3);
    case 'r':
      return rawJson(text(1));
    case 'B':
      return fields.has(2) ? schema(fields.get(2), depth) : fields.get(1) !== 0n;
    case 'A':
      return fields.has(1) ? schema(fields.get(1), depth) : schemas(bytes, depth);
    case 'S':
      return fields.has(1) ? schema(fields.get(1), depth) : strings(bytes);
  }
}

function microTime(seconds: number, nanos: number): string {
  const micros = String(Math.floor(nanos / 1000)).padStart(6, '0');
  return `${rfc3339(seconds * 1000).slice(0, 19)}.${micros}Z`;
}

function rawJson(text: string): Json {
  if (text === '') {
    return null;
  }
  try {
    return JSON.parse(text) as Json;
  } catch (cause) {
    throw new ProtobufError(`embedded JSON cannot be read: ${(cause as Error).message}`, { cause });
  }
}

function schema(value: bigint | Buffer | undefined, depth: number): Json {
  const message = messageOfKind('apiextensions.k8s.io', 'v1', 'JSONSchemaProps');
  if (message === undefined || !Buffer.isBuffer(value)) {
    throw new ProtobufError('a schema is expected');
  }
  return decodeMessage(message, value, depth + 1);
}

function schemas(bytes: Buffer, depth: number): Json {
  return repeated(bytes).map((item) => schema(item, depth));
}

function strings(bytes: Buffer): Json {
  return repeated(bytes).map((item) => item.toString());
}

/** All occurrences of field 2. */
function repeated(bytes: Buffer): Buffer[] {
  const items: Buffer[] = [];
  const reader = new Reader(bytes);
  while (!reader.done) {
    const { field, wire } = reader.tag();
    if (field === 2 && wire === 2) {
      items.push(reader.bytes());
    } else {
      reader.skip(wire);
    }
  }
  return items;
}
