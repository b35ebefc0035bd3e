import { emptySlots, type Field, type Plan, planOf } from './encode-plan.ts';
import type { SpecialCode } from './messages.ts';
import { writeLeaf, wrong } from './write-leaf.ts';
import type { Writer } from './writer.ts';

/** Values whose fields are read by name. */
export type Bag = Readonly<Record<string, unknown>>;

const nothing: Bag = {};

/**
 * A message without its length. The object's own keys are walked, not the message's many fields: looking a name up in
 * an object that lacks it is the dearest step here.
 */
export function writeMessage(to: Writer, plan: Plan, value: Bag): void {
  const { fields, places, unconditional } = plan;
  const slots = plan.busy ? emptySlots(fields.length) : plan.slots;
  const wasBusy = plan.busy;
  plan.busy = true;
  for (const key in value) {
    const place = places.get(key);
    if (place !== undefined) {
      slots[place] = value[key];
    }
  }
  for (let place = 0; place < slots.length; place += 1) {
    const given = slots[place];
    if (given !== undefined) {
      slots[place] = undefined;
      writeField(to, fields[place] as Field, given);
    } else if (unconditional[place] !== 0) {
      writeAbsent(to, fields[place] as Field, value);
    }
  }
  plan.busy = wasBusy;
}

/** What nobody gave: a value that is always there, or a message whose fields stand among those of its owner. */
function writeAbsent(to: Writer, field: Field, owner: Bag): void {
  if (field.shape === 'inline') {
    writeNested(to, field.line, owner);
    to.unsigned(field.tag);
  } else {
    writeEmpty(to, field);
  }
}

function writeField(to: Writer, field: Field, given: unknown): void {
  if (given === null) {
    if (field.always) writeEmpty(to, field);
  } else if (field.shape === 'one') {
    writeValue(to, field, given);
    to.unsigned(field.tag);
  } else if (field.shape === 'list') {
    writeList(to, field, given);
  } else {
    writeMap(to, field, given);
  }
}

/** Go's zero value, for a field that has no way to be absent. */
function writeEmpty(to: Writer, field: Field): void {
  if (field.empty === undefined) {
    const before = to.size;
    makeEmpty(to, field);
    field.empty = to.copy(to.size - before);
  } else {
    to.raw(field.empty);
  }
}

function makeEmpty(to: Writer, field: Field): void {
  switch (field.code) {
    case 'd':
      to.double(0);
      break;
    case 'message':
      writeNested(to, field.line, nothing);
      break;
    case 'q':
      writeValue(to, field, '0');
      break;
    case 'x':
      writeValue(to, field, 0);
      break;
    case 'B':
      writeValue(to, field, false);
      break;
    default:
      // No text, false, 0; times, raw JSON and the other unions are messages with nothing in them.
      to.byte(0);
  }
  to.unsigned(field.tag);
}

function writeNested(to: Writer, line: number, value: Bag): void {
  const before = to.size;
  writeMessage(to, planOf(line), value);
  to.unsigned(to.size - before);
}

function writeList(to: Writer, field: Field, given: unknown): void {
  if (!Array.isArray(given)) {
    throw wrong(field, 'a list', given);
  }
  for (let index = given.length - 1; index >= 0; index -= 1) {
    const item: unknown = given[index];
    if (item === undefined || item === null) {
      writeEmpty(to, field);
    } else {
      writeValue(to, field, item);
      to.unsigned(field.tag);
    }
  }
}

/** Entries in the order of their keys, as upstream writes them. */
function writeMap(to: Writer, field: Field, given: unknown): void {
  if (!isBag(given)) {
    throw wrong(field, 'a map', given);
  }
  const entry = field.entry ?? field;
  const keys = Object.keys(given);
  if (keys.length > 1) {
    keys.sort();
  }
  for (let index = keys.length - 1; index >= 0; index -= 1) {
    const key = keys[index] as string;
    const before = to.size;
    const value = given[key];
    if (value === undefined || value === null) {
      if (entry.code !== 'y') writeEmpty(to, entry);
    } else {
      writeValue(to, entry, value);
      to.unsigned(entry.tag);
    }
    to.string(key);
    to.byte(0x0a);
    to.unsigned(to.size - before);
    to.unsigned(field.tag);
  }
}

function writeValue(to: Writer, field: Field, value: unknown): void {
  const { code } = field;
  switch (code) {
    case 's':
      if (typeof value !== 'string') throw wrong(field, 'a string', value);
      to.string(value);
      return;
    case 'message':
      writeStructured(to, field, value);
      return;
    case 'b':
      if (typeof value !== 'boolean') throw wrong(field, 'a boolean', value);
      to.byte(value ? 1 : 0);
      return;
    case 'i':
      if (!isInt64(value)) throw wrong(field, 'an integer', value);
      to.integer(value);
      return;
    case 'd':
      if (typeof value !== 'number') throw wrong(field, 'a number', value);
      to.double(value);
      return;
    case 'y': {
      if (typeof value !== 'string') throw wrong(field, 'base64', value);
      const bytes = Buffer.from(value, 'base64');
      to.raw(bytes);
      to.unsigned(bytes.length);
      return;
    }
    default: {
      const before = to.size;
      writeSpecial(to, field, code, value);
      to.unsigned(to.size - before);
    }
  }
}

/** A message; one that merely wraps a list is a list in JSON. */
function writeStructured(to: Writer, field: Field, value: unknown): void {
  const plan = planOf(field.line);
  const before = to.size;
  if (!plan.isList) {
    if (!isBag(value)) throw wrong(field, 'an object', value);
    writeMessage(to, plan, value);
  } else {
    const [items] = plan.fields;
    if (items !== undefined) writeList(to, items, value);
  }
  to.unsigned(to.size - before);
}

/** The content of a message that has a JSON form of its own. */
function writeSpecial(to: Writer, field: Field, code: SpecialCode, value: unknown): void {
  switch (code) {
    case 'A':
    case 'S':
      writeSchemaOrList(to, field, code, value);
      return;
    case 'B':
      if (typeof value !== 'boolean') {
        writeSchema(to, field, value);
        to.byte(0x12);
      }
      to.byte(value === false ? 0 : 1);
      to.byte(0x08);
      return;
    default:
      writeLeaf(to, field, code, value);
  }
}

function writeSchemaOrList(to: Writer, field: Field, code: 'A' | 'S', value: unknown): void {
  if (!Array.isArray(value)) {
    writeSchema(to, field, value);
    to.byte(0x0a);
    return;
  }
  for (const item of value.toReversed() as readonly unknown[]) {
    if (code === 'A') {
      writeSchema(to, field, item);
    } else if (typeof item === 'string') {
      to.string(item);
    } else {
      throw wrong(field, 'a list of strings', value);
    }
    to.byte(0x12);
  }
}

/** A schema with its length. */
function writeSchema(to: Writer, field: Field, value: unknown): void {
  if (!isBag(value)) {
    throw wrong(field, 'a schema', value);
  }
  writeNested(to, field.schemaLine, value);
}

function isInt64(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= -(2 ** 63) && (value as number) < 2 ** 63;
}

function isBag(value: unknown): value is Bag {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
