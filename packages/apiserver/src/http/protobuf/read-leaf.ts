import type { Json } from '../../patch/json.ts';
import { ProtobufError } from './errors.ts';
import type { SpecialCode, UnionCode } from './messages.ts';
import type { Reader } from './reader.ts';
import { microTimeText, timeText } from './times.ts';

/** Go's zero time in seconds since 1970; JSON says null. */
const ZERO_TIME = -62_135_596_800;

/** The value of a small message that ends at `end`. */
export function readLeaf(reader: Reader, code: Exclude<SpecialCode, UnionCode>, end: number): Json {
  switch (code) {
    case 'q':
      return readText(reader, end) || '0';
    case 'x':
      return readIntOrString(reader, end);
    case 'r':
      return rawJson(readText(reader, end));
    default:
      return readTime(reader, code, end);
  }
}

/** Field 1, a text. */
function readText(reader: Reader, end: number): string {
  let text = '';
  while (reader.at < end) {
    reader.next(end);
    if (reader.field === 1) {
      text = reader.wire === 2 ? reader.string(end) : wrongWire(reader.wire, 'Raw');
    } else {
      reader.skip(end);
    }
  }
  return text;
}

function readTime(reader: Reader, code: 't' | 'm', end: number): Json {
  if (reader.at === end) {
    return null;
  }
  let seconds = 0;
  let nanos = 0;
  while (reader.at < end) {
    reader.next(end);
    if (reader.wire === 0 && reader.field === 1) {
      seconds = reader.integer(end);
    } else if (reader.wire === 0 && reader.field === 2) {
      nanos = reader.integer(end);
    } else {
      reader.skip(end);
    }
  }
  if (seconds === ZERO_TIME) {
    return null;
  }
  const text = code === 't' ? timeText(seconds) : microTimeText(seconds, nanos);
  if (text === undefined) {
    throw new ProtobufError(`a time of ${seconds} seconds lies outside the years 0 to 9999`);
  }
  return text;
}

function readIntOrString(reader: Reader, end: number): Json {
  let isText = false;
  let integer = 0;
  let text = '';
  while (reader.at < end) {
    reader.next(end);
    if (reader.wire === 0 && reader.field === 1) {
      isText = reader.integer(end) !== 0;
    } else if (reader.wire === 0 && reader.field === 2) {
      integer = reader.integer(end);
    } else if (reader.wire === 2 && reader.field === 3) {
      text = reader.string(end);
    } else {
      reader.skip(end);
    }
  }
  return isText ? text : integer;
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

/** @throws ProtobufError in Go's words */
export function wrongWire(wire: number, field: string): never {
  const name = `${field.slice(0, 1).toUpperCase()}${field.slice(1)}`;
  throw new ProtobufError(`proto: wrong wireType = ${wire} for field ${name}`);
}
