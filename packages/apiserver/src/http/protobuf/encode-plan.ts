import { type FieldType, type Message, type MessageField, messageAt, type ScalarCode } from './messages.ts';

/** A field, prepared for writing. */
export interface Field {
  readonly name: string;
  /** Field number and wire type, as they stand before the value. */
  readonly tag: number;
  readonly code: ScalarCode | 'message';
  /** Of `message`: which one. */
  readonly line: number;
  readonly shape: 'one' | 'inline' | 'list' | 'map';
  /** Written even when absent: what Go keeps as a plain value has no way to be absent. */
  readonly always: boolean;
  /** Of maps: the value of an entry. */
  readonly entry: Field | undefined;
  /** Of unions of JSON schemas: the schema's message. */
  readonly schemaLine: number;
  /** Tag and value of an absent field, made when first needed. */
  empty: Uint8Array | undefined;
}

/** How a message is written: its fields from the highest number to the lowest. */
export interface Plan {
  readonly fields: readonly Field[];
  /** By place: 1 where something is written even if the object has no such key. */
  readonly unconditional: Uint8Array;
  /** Place in `fields` by the field's name. */
  readonly places: ReadonlyMap<string, number>;
  /** Where the values of the object at hand are put in order; all undefined between two objects. */
  readonly slots: unknown[];
  /** Whether an object is in the slots: a message may contain itself. */
  busy: boolean;
  readonly isList: boolean;
}

const plans: (Plan | undefined)[] = [];

export function planOf(line: number): Plan {
  return plans[line] ?? makePlan(line);
}

function makePlan(line: number): Plan {
  const message: Message = messageAt(line);
  const fields = message.fields.toReversed().map((field) => planField(field, message.schemaLine));
  const plan: Plan = {
    fields,
    unconditional: Uint8Array.from(fields, ({ always, shape }) => (always || shape === 'inline' ? 1 : 0)),
    places: new Map(fields.flatMap((field, place) => (field.shape === 'inline' ? [] : [[field.name, place]]))),
    slots: emptySlots(fields.length),
    busy: false,
    isList: message.isList,
  };
  plans[line] = plan;
  return plan;
}

export function emptySlots(length: number): unknown[] {
  return Array.from({ length }, () => undefined);
}

/** After an object that could not be written: forgets what is left of it. */
export function clearPlans(): void {
  plans.length = 0;
}

function planField(field: MessageField, schemaLine: number): Field {
  const shape = field.inline ? 'inline' : field.type.kind === 'map' ? 'map' : field.repeated ? 'list' : 'one';
  const values = field.type.kind === 'map' ? field.type.values : field.type;
  const item = valueField(field.name, field.type.kind === 'map' ? 2 : field.number, values, schemaLine);
  if (shape === 'map') {
    return { ...item, shape, always: false, tag: field.number * 8 + 2, entry: item };
  }
  return { ...item, shape, always: shape === 'one' && !field.pointer && !mayBeNil(values) };
}

/** Slices are nil when absent although no pointer leads to them: bytes, and messages that wrap a list. */
function mayBeNil(type: FieldType): boolean {
  return type.kind === 'scalar' ? type.code === 'y' : type.kind === 'message' && messageAt(type.line).isList;
}

function valueField(name: string, number: number, type: FieldType, schemaLine: number): Field {
  const code = type.kind === 'scalar' ? type.code : 'message';
  return {
    name,
    tag: number * 8 + wireOf(code),
    code,
    line: type.kind === 'message' ? type.line : -1,
    shape: 'one',
    always: true,
    entry: undefined,
    schemaLine,
    empty: undefined,
  };
}

function wireOf(code: ScalarCode | 'message'): number {
  return code === 'b' || code === 'i' ? 0 : code === 'd' ? 1 : 2;
}
