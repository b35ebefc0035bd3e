import { type ByteReader, ByteWriter, MalformedBytes } from './bytes.ts';
import { toBuffer } from './keys.ts';
import type { Bytes } from './messages.ts';

/** How a value stands in a protobuf field. `skip`: the default, which proto3 leaves out. */
export interface FieldType<V> {
  readonly wire: 0 | 2;
  skip(value: V): boolean;
  write(writer: ByteWriter, value: V, facts: HeaderFacts): void;
  read(reader: ByteReader): V;
  /** Repeated fields: joins what one occurrence on the wire gave to what was there. */
  readonly join?: (before: V | undefined, value: V) => V;
  /** Repeated numbers: reads the form in which other encoders write them, all in one sized part. */
  readonly readPacked?: (reader: ByteReader) => V;
}

/** What every response header carries besides the revision. */
export interface HeaderFacts {
  readonly clusterId: number;
  readonly memberId: number;
  readonly term: number;
}

export const NO_FACTS: HeaderFacts = { clusterId: 0, memberId: 0, term: 0 };

export interface Codec<T> {
  write(writer: ByteWriter, value: T, facts: HeaderFacts): void;
  /** @throws MalformedBytes */
  read(reader: ByteReader): T;
}

type Fields<T> = { readonly [K in keyof T]-?: readonly [number, FieldType<Exclude<T[K], undefined>>] };

interface CompiledField {
  readonly name: string;
  readonly number: number;
  readonly tag: number;
  readonly type: FieldType<unknown>;
}

/**
 * A codec from a table: field number and type of each property. Unknown fields are skipped, as protobuf wants.
 * @param defaults properties that a decoded value always has
 */
export function message<T extends object>(fields: Fields<T>, defaults: Partial<T>): Codec<T> {
  const compiled: CompiledField[] = Object.entries(fields as Record<string, readonly [number, FieldType<unknown>]>).map(
    ([name, [number, type]]) => ({ name, number, tag: (number << 3) | type.wire, type }),
  );
  compiled.sort((a, b) => a.number - b.number);
  const byNumber = new Map(compiled.map((field) => [field.number, field]));
  return {
    write(writer, value, facts) {
      const record = value as Record<string, unknown>;
      for (const { name, tag, type } of compiled) {
        const field = record[name];
        if (field === undefined || type.skip(field)) continue;
        if (type.join === undefined) writer.varint(tag);
        type.write(writer, field, facts);
      }
    },
    read(reader) {
      const record: Record<string, unknown> = { ...defaults };
      readFields(reader, (number, wire) => {
        const field = byNumber.get(number);
        const read = field === undefined ? undefined : readerOf(field.type, wire);
        if (field === undefined || read === undefined) return false;
        const value = read(reader);
        record[field.name] = field.type.join === undefined ? value : field.type.join(record[field.name], value);
        return true;
      });
      return record as T;
    },
  };
}

function readerOf<V>(type: FieldType<V>, wire: number): ((reader: ByteReader) => V) | undefined {
  return type.wire === wire ? type.read : wire === 2 ? type.readPacked : undefined;
}

/** Calls `take` for each field; it reads the field and returns true, or returns false to have it skipped. */
export function readFields(reader: ByteReader, take: (number: number, wire: number) => boolean): void {
  while (!reader.done) {
    const tag = reader.varint();
    if (tag < 8) throw new MalformedBytes(`field tag ${tag} at offset ${reader.offset}`);
    const wire = tag & 7;
    if (take(Math.floor(tag / 8), wire)) continue;
    if (wire === 0) reader.varint();
    else if (wire === 1) reader.skip(8);
    else if (wire === 2) reader.skip(reader.size());
    else if (wire === 5) reader.skip(4);
    else throw new MalformedBytes(`wire type ${wire} at offset ${reader.offset}`);
  }
}

export function int<V extends number = number>(): FieldType<V> {
  return {
    wire: 0,
    skip: (value) => value === 0,
    write: (writer, value) => writer.varint(value),
    read: (reader) => reader.varint() as V,
  };
}

/**
 * A revision or count that clients may set to anything up to int64's ends, meaning "no bound": beyond ±2^53 it is read
 * as ±2^53, which no revision ever reaches, so that comparisons come out the same.
 */
export const bound: FieldType<number> = { ...int(), read: (reader) => reader.varint(true) };

/** A lease's id: any integer of 64 bits. */
export function leaseId<V extends number | bigint = number | bigint>(): FieldType<V> {
  return {
    wire: 0,
    skip: (value) => value === 0,
    write: (writer, value) => writer.wide(value),
    read: (reader) => reader.wide() as V,
  };
}

export const bool: FieldType<boolean> = {
  wire: 0,
  skip: (value) => !value,
  write: (writer) => writer.u8(1),
  read: (reader) => reader.varint() !== 0,
};

/** Bytes or text to write; a Buffer (a view into what was received) when read. */
export function bytes<V extends Bytes = Bytes>(): FieldType<V> {
  return {
    wire: 2,
    skip: (value) => value.length === 0,
    write: (writer, value) => writer.sizedBytes(toBuffer(value)),
    read: (reader) => reader.sizedBytes() as Bytes as V,
  };
}

export const text: FieldType<string> = {
  wire: 2,
  skip: (value) => value === '',
  write: (writer, value) => writer.sizedBytes(Buffer.from(value, 'utf8')),
  read: (reader) => reader.sizedBytes().toString('utf8'),
};

/** @param names by number; names[0] is proto3's default */
export function choice<V extends string>(names: readonly (V | undefined)[]): FieldType<V> {
  return {
    wire: 0,
    skip: (value) => names.indexOf(value) <= 0,
    write: (writer, value) => writer.varint(names.indexOf(value)),
    read: (reader) => {
      const number = reader.varint();
      const name = names[number];
      if (name === undefined) throw new MalformedBytes(`unknown enum value ${number}`);
      return name;
    },
  };
}

/** @param codec a function where messages contain themselves */
export function nested<V>(codec: Codec<V> | (() => Codec<V>)): FieldType<V> {
  const resolve = typeof codec === 'function' ? codec : () => codec;
  return {
    wire: 2,
    skip: () => false,
    write: (writer, value, facts) => {
      const start = writer.beginSized();
      resolve().write(writer, value, facts);
      writer.endSized(start);
    },
    read: (reader) => resolve().read(reader.part()),
  };
}

/** @param number the field's number again: each item is written with a tag of its own */
export function list<V>(number: number, item: FieldType<V>): FieldType<readonly V[]> {
  const tag = (number << 3) | item.wire;
  const packed: Pick<FieldType<readonly V[]>, 'readPacked'> = item.wire === 2
    ? {}
    : {
        readPacked: (reader) => {
          const part = reader.part();
          const values: V[] = [];
          while (!part.done) values.push(item.read(part));
          return values;
        },
      };
  return {
    ...packed,
    wire: item.wire,
    skip: (values) => values.length === 0,
    write: (writer, values, facts) => {
      for (const value of values) {
        writer.varint(tag);
        item.write(writer, value, facts);
      }
    },
    read: (reader) => [item.read(reader)],
    join: (before, one) => {
      if (before === undefined || before.length === 0) return one;
      for (const value of one) (before as V[]).push(value);
      return before;
    },
  };
}

/** etcd's ResponseHeader, of which our messages keep the revision. */
export function header<V extends number>(): FieldType<V> {
  return {
    wire: 2,
    skip: () => false,
    write: (writer, revision, facts) => {
      const start = writer.beginSized();
      for (const [number, value] of [facts.clusterId, facts.memberId, revision, facts.term].entries()) {
        if (value === 0) continue;
        writer.varint((number + 1) << 3);
        writer.varint(value);
      }
      writer.endSized(start);
    },
    read: (reader) => {
      let revision = 0;
      const part = reader.part();
      readFields(part, (number, wire) => {
        if (number !== 3 || wire !== 0) return false;
        revision = part.varint();
        return true;
      });
      return revision as V;
    },
  };
}

export function encode<T>(codec: Codec<T>, value: T, facts: HeaderFacts = NO_FACTS): Buffer {
  const writer = new ByteWriter();
  codec.write(writer, value, facts);
  return writer.finish();
}
