// Turns parsed JSON into an object of a kind, as Go's decoder and a trip through Go's encoder would.
import { canonicalQuantity, QuantityFormatError } from '../quantity/quantity.ts';
import { emptyValue, goType, jsonKind } from './go-values.ts';
import type { Field, ObjectNode, SchemaNode } from './schema.ts';
import { canonicalTime, TimeFormatError } from './time.ts';

/** What happens to fields that the kind does not have: nothing, a warning, an error. They are dropped in any case. */
export type FieldValidation = 'Ignore' | 'Warn' | 'Strict';

export interface Decoded {
  /** The value given, changed in place; only parts that lose fields are made anew. */
  readonly object: Readonly<Record<string, unknown>>;
  /** `unknown field "spec.foo"`, in the order of the text; empty if not asked for. */
  readonly strictProblems: readonly string[];
  /** Go's text for the first value of a wrong type; the object is of no use then. */
  readonly error?: string;
}

const strictProblemsMax = 100;

/**
 * Checks the type of every value, drops unknown fields, nulls and empty optional lists and maps, makes quantities and
 * times canonical, and adds the empty values of fields that upstream always writes. Takes ownership of `value`: it must
 * be fresh from `JSON.parse` or a copy, for it is changed in place.
 */
export function decodeObject(
  node: ObjectNode,
  value: unknown,
  options: { readonly fieldValidation: FieldValidation },
): Decoded {
  const decoder = new Decoder(options.fieldValidation !== 'Ignore');
  const object = decoder.decode(node, value) as Readonly<Record<string, unknown>>;
  const { strictProblems, error } = decoder;
  return error === undefined ? { object, strictProblems } : { object, strictProblems, error };
}

/** The text with which the API server refuses a body with unknown or repeated fields. */
export function strictDecodingText(problems: readonly string[]): string {
  return `strict decoding error: ${problems.join(', ')}`;
}

type Bag = Record<string, unknown>;

/** A field, a place in a list, or a key of a map; Go's type errors name fields only. */
type Step = string | number | { readonly key: string };

class Decoder {
  readonly strictProblems: string[] = [];
  error: string | undefined;
  readonly #reportUnknown: boolean;
  /** Names and list positions from the root to the value at hand. */
  readonly #path: Step[] = [];
  #struct = '';

  constructor(reportUnknown: boolean) {
    this.#reportUnknown = reportUnknown;
  }

  decode(node: SchemaNode, value: unknown): unknown {
    switch (node.type) {
      case 'string':
        return typeof value === 'string' ? value : this.#mismatch(node, value);
      case 'object':
        return isBag(value) ? this.#object(node, value) : this.#mismatch(node, value);
      case 'array':
        return Array.isArray(value) ? this.#array(node.items, value) : this.#mismatch(node, value);
      case 'map':
        return isBag(value) ? this.#map(node.values, value) : this.#mismatch(node, value);
      case 'boolean':
        return typeof value === 'boolean' ? value : this.#mismatch(node, value);
      case 'integer':
        return isInteger(value, node.format) ? value : this.#mismatch(node, value);
      case 'number':
        return typeof value === 'number' ? value : this.#mismatch(node, value);
      case 'any':
        return value;
      default:
        return this.#special(node.type, value);
    }
  }

  #object(node: ObjectNode, value: Bag): Bag {
    const { fields } = node;
    const outer = this.#struct;
    this.#struct = node.definition;
    let dropped: Set<string> | undefined;
    for (const key in value) {
      const field = fields.get(key);
      const given = value[key];
      if (field === undefined) {
        this.#unknown(key);
        dropped = (dropped ?? new Set()).add(key);
      } else if (given === null) {
        dropped = (dropped ?? new Set()).add(key);
      } else if (!isPlain(field.node.type, given)) {
        this.#path.push(key);
        const decoded = this.decode(field.node, given);
        if (decoded !== given) value[key] = decoded;
        this.#path.pop();
        if (!field.required && isEmptyCollection(field, decoded)) dropped = (dropped ?? new Set()).add(key);
      }
    }
    this.#struct = outer;
    const kept = dropped === undefined ? value : without(value, dropped);
    for (const field of node.alwaysWritten) {
      if (kept[field.name] === undefined) kept[field.name] = emptyValue(field.node);
    }
    return kept;
  }

  #array(items: SchemaNode, value: unknown[]): unknown[] {
    for (let position = 0; position < value.length; position += 1) {
      const given = value[position];
      if (given === null) {
        value[position] = emptyValue(items);
        continue;
      }
      this.#path.push(position);
      const decoded = this.decode(items, given);
      if (decoded !== given) value[position] = decoded;
      this.#path.pop();
    }
    return value;
  }

  #map(values: SchemaNode, value: Bag): Bag {
    for (const key in value) {
      const given = value[key];
      if (given === null) {
        value[key] = emptyValue(values);
        continue;
      }
      if (values.type === 'string' && typeof given === 'string') continue;
      this.#path.push({ key });
      const decoded = this.decode(values, given);
      if (decoded !== given) value[key] = decoded;
      this.#path.pop();
    }
    return value;
  }

  #special(type: 'intOrString' | 'quantity' | 'time' | 'microTime' | 'bytes', value: unknown): unknown {
    switch (type) {
      case 'intOrString':
        if (typeof value === 'string' || isInteger(value, 'int32')) return value;
        return this.#fail(`json: cannot unmarshal ${jsonKind(value)} into Go value of type int32`);
      case 'bytes':
        return typeof value === 'string' ? this.#bytes(value) : this.#mismatch({ type }, value);
      case 'quantity':
        return this.#parsed(() => canonicalQuantity(isScalar(value) ? value : JSON.stringify(value)));
      default:
        if (typeof value !== 'string') {
          return this.#fail(`json: cannot unmarshal ${jsonKind(value)} into Go value of type string`);
        }
        return this.#parsed(() => canonicalTime(value, type));
    }
  }

  #parsed(parse: () => string): unknown {
    try {
      return parse();
    } catch (cause) {
      if (cause instanceof QuantityFormatError || cause instanceof TimeFormatError) return this.#fail(cause.message);
      throw cause;
    }
  }

  #bytes(text: string): unknown {
    const joined = /[\r\n]/.test(text) ? text.replace(/[\r\n]/g, '') : text;
    const problem = /[^A-Za-z0-9+/]/.exec(joined.replace(/={0,2}$/, ''));
    if (problem === null && joined.length % 4 === 0) return joined;
    return this.#fail(`illegal base64 data at input byte ${problem?.index ?? joined.length - (joined.length % 4)}`);
  }

  #unknown(key: string): void {
    if (!this.#reportUnknown || this.strictProblems.length >= strictProblemsMax) return;
    this.#path.push(key);
    this.strictProblems.push(`unknown field "${pathText(this.#path)}"`);
    this.#path.pop();
  }

  #mismatch(node: SchemaNode, value: unknown): unknown {
    const names = this.#path.filter((step) => typeof step === 'string');
    const type = goType(node);
    const struct = this.#struct.slice(this.#struct.lastIndexOf('.') + 1);
    const place = names.length === 0 ? 'Go value' : `Go struct field ${struct}.${names.join('.')}`;
    const kind = node.type === 'integer' && typeof value === 'number' ? `number ${value}` : jsonKind(value);
    return this.#fail(`json: cannot unmarshal ${kind} into ${place} of type ${type}`);
  }

  #fail(text: string): undefined {
    this.error ??= text;
    return undefined;
  }
}

/** Most fields hold a text or a flag: those need no further look. */
function isPlain(type: SchemaNode['type'], value: unknown): boolean {
  return (type === 'string' && typeof value === 'string') || (type === 'boolean' && typeof value === 'boolean');
}

function isBag(value: unknown): value is Bag {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isScalar(value: unknown): value is string | number {
  return typeof value === 'string' || typeof value === 'number';
}

function isInteger(value: unknown, format: 'int32' | 'int64'): boolean {
  if (!Number.isInteger(value)) return false;
  const number = value as number;
  return format === 'int64' ? number >= -(2 ** 63) && number < 2 ** 63 : number === (number | 0);
}

function isEmptyCollection(field: Field, value: unknown): boolean {
  if (field.node.type === 'array') return Array.isArray(value) && value.length === 0;
  if (field.node.type !== 'map' || !isBag(value)) return false;
  for (const _key in value) return false;
  return true;
}

function without(value: Bag, dropped: ReadonlySet<string>): Bag {
  const kept: Bag = {};
  for (const key in value) if (!dropped.has(key)) kept[key] = value[key];
  return kept;
}

function pathText(path: readonly Step[]): string {
  let text = '';
  for (const step of path) {
    const name = typeof step === 'object' ? step.key : step;
    if (typeof name === 'number') text += `[${name}]`;
    else text += text === '' ? name : `.${name}`;
  }
  return text;
}
