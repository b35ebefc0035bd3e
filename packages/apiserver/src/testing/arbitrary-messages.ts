import fc from 'fast-check';
import {
  type FieldType,
  type Message,
  type MessageField,
  messageAt,
  type ScalarCode,
} from '../http/protobuf/messages.ts';

/** Schemas contain schemas; deeper than this only what must be there is made. */
const DEPTH_MAX = 5;

type Made = Record<string, unknown>;

/** Objects of a message as Go writes them in JSON: nothing empty where it would be left out, no absent plain values. */
export function arbitraryOf(message: Message, depth = 0): fc.Arbitrary<Made> {
  const parts = message.fields.map((field): fc.Arbitrary<Made> => {
    if (field.inline) {
      return field.type.kind === 'message' ? arbitraryOf(messageAt(field.type.line), depth) : fc.constant({});
    }
    const optional = mayBeAbsent(field);
    if (optional && depth >= DEPTH_MAX) {
      return fc.constant({});
    }
    const value = fieldValue(field, message, depth).map((made): Made => ({ [field.name]: made }));
    return optional ? fc.option(value, { nil: {}, freq: 1 }) : value;
  });
  return parts.length === 0 ? fc.constant({}) : fc.tuple(...parts).map((made): Made => Object.assign({}, ...made));
}

/** Lists, maps, pointers and slices can be absent; plain values only if JSON leaves their zero out. */
function mayBeAbsent({ type, repeated, pointer, omitEmpty }: MessageField): boolean {
  if (repeated || pointer || type.kind === 'map') {
    return true;
  }
  if (type.kind === 'message') {
    return messageAt(type.line).isList;
  }
  return type.code === 'y' || (omitEmpty && !'qx'.includes(type.code));
}

function fieldValue(field: MessageField, message: Message, depth: number): fc.Arbitrary<unknown> {
  const { type, repeated, pointer, omitEmpty } = field;
  if (type.kind === 'map') {
    return fc.dictionary(fc.string(), messageValue(type.values, message, depth, false), { minKeys: 1, maxKeys: 3 });
  }
  const value = messageValue(type, message, depth, omitEmpty && !pointer && !repeated);
  return repeated ? fc.array(value, { minLength: 1, maxLength: 2 }) : value;
}

function messageValue(type: FieldType, message: Message, depth: number, notZero: boolean): fc.Arbitrary<unknown> {
  if (type.kind !== 'message') {
    return type.kind === 'map' ? fc.constant({}) : scalar(type.code, message, depth, notZero);
  }
  const inner = messageAt(type.line);
  return inner.isList ? fc.array(fc.string(), { maxLength: 2 }) : arbitraryOf(inner, depth + 1);
}

const seconds = fc
  .date({ min: new Date('0001-01-02T00:00:00Z'), max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true })
  .map((date) => `${date.toISOString().slice(0, 19)}Z`);
const micros = fc
  .tuple(seconds, fc.nat(999_999))
  .map(([text, fraction]) => `${text.slice(0, 19)}.${String(fraction).padStart(6, '0')}Z`);
const quantity = fc.constantFrom('0', '1', '100m', '1500m', '128Mi', '1Gi', '-5', '12e6');
/** JSON without negative zero, which JSON.stringify writes as 0. */
const raw = fc.jsonValue({ maxDepth: 2 }).map((value) => JSON.parse(JSON.stringify({ value })) as unknown);

function scalar(code: ScalarCode, message: Message, depth: number, notZero: boolean): fc.Arbitrary<unknown> {
  switch (code) {
    case 's':
      return fc.string({ unit: 'grapheme', minLength: notZero ? 1 : 0 });
    case 'b':
      return notZero ? fc.constant(true) : fc.boolean();
    case 'i':
      return fc.integer().filter((value) => !(notZero && value === 0));
    case 'd':
      return fc.double({ noNaN: true, noDefaultInfinity: true }).filter((value) => !Object.is(value, -0));
    case 'y':
      return fc.uint8Array({ minLength: notZero ? 1 : 0 }).map((bytes) => Buffer.from(bytes).toString('base64'));
    case 'q':
      return quantity;
    case 'x':
      return fc.oneof(fc.integer(), fc.string());
    case 't':
      return seconds;
    case 'm':
      return micros;
    case 'r':
      return raw;
    default:
      return union(code, arbitraryOf(messageAt(message.schemaLine), depth + 2));
  }
}

function union(code: 'A' | 'B' | 'S', schema: fc.Arbitrary<Made>): fc.Arbitrary<unknown> {
  switch (code) {
    case 'A':
      return fc.oneof(schema, fc.array(schema, { maxLength: 2 }));
    case 'B':
      return fc.oneof(schema, fc.boolean());
    case 'S':
      return fc.oneof(schema, fc.array(fc.string(), { maxLength: 2 }));
  }
}
