import type { Json } from '../../patch/json.ts';
import { ProtobufError } from './errors.ts';
import { type FieldType, type Message, type MessageField, messageAt, type ScalarCode } from './messages.ts';
import { readLeaf, wrongWire } from './read-leaf.ts';
import type { Reader } from './reader.ts';

/** Messages in messages. Go has no limit; ours leaves the stack room. */
const NESTING_MAX = 250;

type Bag = Record<string, Json>;

/** The message between the reader's place and `end`, into a given object. */
export function readMessage(reader: Reader, message: Message, end: number, into: Bag, depth: number): Json {
  if (depth > NESTING_MAX) {
    throw new ProtobufError(`a message is nested deeper than ${NESTING_MAX} levels`);
  }
  while (reader.at < end) {
    reader.next(end);
    const field = message.byNumber[reader.field];
    if (field === undefined) {
      reader.skip(end);
    } else {
      readField(reader, message, field, end, into, depth);
    }
  }
  return message.isList ? (into['items'] ?? []) : into;
}

function readField(reader: Reader, message: Message, field: MessageField, end: number, into: Bag, depth: number): void {
  const { type, name } = field;
  if (type.kind === 'map') {
    into[name] ??= {};
    readEntry(reader, message, type.values, open(reader, name, end), into[name] as Bag, depth);
  } else if (field.inline) {
    const inner = type.kind === 'message' ? messageAt(type.line) : message;
    readMessage(reader, inner, open(reader, name, end), into, depth + 1);
  } else if (field.repeated) {
    readItem(reader, message, field, end, into, depth);
  } else {
    const value = readValue(reader, message, type, name, end, depth);
    if (value !== null && !(field.omitEmpty && (value === '' || value === false || (value === 0 && isPlain(type))))) {
      into[name] = value;
    } else if (value === null && !field.omitEmpty && !field.pointer) {
      into[name] = null;
    }
  }
}

/** An IntOrString of 0 is no zero value to Go's encoder. */
function isPlain(type: FieldType): boolean {
  return type.kind === 'scalar' && type.code !== 'x';
}

function readItem(reader: Reader, message: Message, field: MessageField, end: number, into: Bag, depth: number): void {
  const list = (into[field.name] ?? []) as Json[];
  into[field.name] = list;
  const { type } = field;
  const isPacked = reader.wire === 2 && type.kind === 'scalar' && (type.code === 'i' || type.code === 'b');
  if (!isPacked) {
    list.push(readValue(reader, message, type, field.name, end, depth));
    return;
  }
  const stop = reader.open(end);
  reader.wire = 0;
  while (reader.at < stop) {
    list.push(readValue(reader, message, type, field.name, stop, depth));
  }
}

function readEntry(reader: Reader, message: Message, values: FieldType, end: number, into: Bag, depth: number): void {
  let key = '';
  let value: Json | undefined;
  while (reader.at < end) {
    reader.next(end);
    if (reader.field === 1) {
      key = reader.wire === 2 ? reader.string(end) : wrongWire(reader.wire, 'mapkey');
    } else if (reader.field === 2) {
      value = readValue(reader, message, values, 'mapvalue', end, depth);
    } else {
      reader.skip(end);
    }
  }
  value ??= values.kind === 'message' ? (messageAt(values.line).isList ? [] : {}) : emptyScalar(values);
  if (key === '__proto__') {
    // Assigning it would set the prototype instead of a key.
    Object.defineProperty(into, key, { value, enumerable: true, configurable: true, writable: true });
  } else {
    into[key] = value;
  }
}

function emptyScalar(type: FieldType): Json {
  const code = type.kind === 'scalar' ? type.code : 's';
  return code === 's' || code === 'y' ? '' : code === 'q' ? '0' : null;
}

function readValue(reader: Reader, message: Message, type: FieldType, name: string, end: number, depth: number): Json {
  if (type.kind === 'message') {
    const stop = open(reader, name, end);
    return readMessage(reader, messageAt(type.line), stop, {}, depth + 1);
  }
  return type.kind === 'map' ? null : readScalar(reader, message, type.code, name, end, depth);
}

function readScalar(
  reader: Reader,
  message: Message,
  code: ScalarCode,
  name: string,
  end: number,
  depth: number,
): Json {
  switch (code) {
    case 's':
      return reader.wire === 2 ? reader.string(end) : wrongWire(reader.wire, name);
    case 'b':
      return reader.wire === 0 ? reader.unsigned(end) !== 0 : wrongWire(reader.wire, name);
    case 'i':
      return reader.wire === 0 ? reader.integer(end) : wrongWire(reader.wire, name);
    case 'y':
      return reader.wire === 2 ? reader.base64(end) : wrongWire(reader.wire, name);
    case 'd':
      return reader.wire === 1 ? reader.double(end) : wrongWire(reader.wire, name);
    case 'A':
    case 'B':
    case 'S':
      return readUnion(reader, message, code, open(reader, name, end), depth);
    default:
      return readLeaf(reader, code, open(reader, name, end));
  }
}

/** A schema, or a list or a flag in its place. */
function readUnion(reader: Reader, message: Message, code: 'A' | 'B' | 'S', end: number, depth: number): Json {
  let schema: Json | undefined;
  let allows = false;
  const list: Json[] = [];
  const readSchema = (): Json => readMessage(reader, messageAt(message.schemaLine), reader.open(end), {}, depth + 1);
  while (reader.at < end) {
    reader.next(end);
    if (code === 'B' && reader.field === 1 && reader.wire === 0) {
      allows = reader.unsigned(end) !== 0;
    } else if (reader.wire === 2 && reader.field === (code === 'B' ? 2 : 1)) {
      schema = readSchema();
    } else if (reader.wire === 2 && reader.field === 2) {
      list.push(code === 'A' ? readSchema() : reader.string(end));
    } else {
      reader.skip(end);
    }
  }
  return schema ?? (code === 'B' ? allows : list);
}

function open(reader: Reader, name: string, end: number): number {
  return reader.wire === 2 ? reader.open(end) : wrongWire(reader.wire, name);
}
