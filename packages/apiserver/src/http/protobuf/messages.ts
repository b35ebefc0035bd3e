import { protobufFields } from './generated/fields.ts';

/** What a field's bytes mean. */
export type FieldType =
  | { readonly kind: 'scalar'; readonly code: ScalarCode }
  | { readonly kind: 'message'; readonly line: number }
  | { readonly kind: 'map'; readonly values: FieldType };

/**
 * string, bool, integer, double, bytes; then messages whose JSON is not an object of their fields: Quantity, Time,
 * MicroTime, IntOrString, RawExtension and its likes, and the three unions of JSON schemas.
 */
export type ScalarCode = 's' | 'b' | 'i' | 'd' | 'y' | SpecialCode;
export type SpecialCode = 'q' | 't' | 'm' | 'x' | 'r' | UnionCode;
/** JSONSchemaPropsOrArray, JSONSchemaPropsOrBool, JSONSchemaPropsOrStringArray. */
export type UnionCode = 'A' | 'B' | 'S';

export interface MessageField {
  readonly name: string;
  readonly number: number;
  readonly type: FieldType;
  readonly repeated: boolean;
  /** Its fields stand in the JSON of the message around it. */
  readonly inline: boolean;
  /** Written only when it is given. Other fields that are neither lists nor maps are always written. */
  readonly pointer: boolean;
  /** JSON leaves the zero value out. */
  readonly omitEmpty: boolean;
}

export interface Message {
  readonly name: string;
  readonly line: number;
  /** In the order of their numbers. */
  readonly fields: readonly MessageField[];
  /** The same by number. */
  readonly byNumber: readonly (MessageField | undefined)[];
  /** Wrappers around a list of strings: JSON is the list itself. */
  readonly isList: boolean;
  /** The message of JSON schemas in its package: what the unions contain. */
  readonly schemaLine: number;
}

interface Index {
  readonly lines: readonly string[];
  readonly byKind: ReadonlyMap<string, number>;
  readonly homes: readonly string[];
}

let built: Index | undefined;
const parsed: (Message | undefined)[] = [];

function index(): Index {
  if (built === undefined) {
    const lines = protobufFields.split('\n');
    const byKind = new Map<string, number>();
    const homes: string[] = [];
    let home = '';
    for (const [number, line] of lines.entries()) {
      if (line.startsWith('=')) {
        home = line.slice(1);
      } else {
        byKind.set(`${home}/${line.slice(0, line.indexOf('|') === -1 ? line.length : line.indexOf('|'))}`, number);
      }
      homes.push(home);
    }
    built = { lines, byKind, homes };
  }
  return built;
}

/** The message of a kind; the kinds that exist in every group (DeleteOptions, Status) are found as well. */
export function messageOfKind(group: string, version: string, kind: string): Message | undefined {
  const { byKind } = index();
  const line = byKind.get(`${group}/${version}/${kind}`) ?? byKind.get(`meta.k8s.io/v1/${kind}`);
  return line === undefined ? undefined : messageAt(line);
}

/** @param apiVersion `apps/v1`, `v1` */
export function messageOf(apiVersion: string, kind: string): Message | undefined {
  const slash = apiVersion.indexOf('/');
  return messageOfKind(slash === -1 ? '' : apiVersion.slice(0, slash), apiVersion.slice(slash + 1), kind);
}

export function messageAt(line: number): Message {
  let message = parsed[line];
  if (message === undefined) {
    message = parseMessage(line);
    parsed[line] = message;
  }
  return message;
}

const listWrappers = new Set(['ExtraValue', 'Verbs']);

function parseMessage(line: number): Message {
  const { lines, byKind, homes } = index();
  const [name = '', ...parts] = (lines[line] ?? '').split('|');
  const byNumber: (MessageField | undefined)[] = [];
  for (const part of parts) {
    const [field = '', number = '', code = ''] = part.split(' ');
    const flags = /^[*~?!^]*/.exec(code)?.[0] ?? '';
    byNumber[Number(number)] = {
      name: field,
      number: Number(number),
      type: parseType(code.slice(flags.length)),
      repeated: flags.includes('*'),
      inline: flags.includes('~'),
      pointer: flags.includes('^'),
      omitEmpty: flags.includes('?') || flags.includes('!'),
    };
  }
  const schemaLine = byKind.get(`${homes[line] ?? ''}/JSONSchemaProps`) ?? -1;
  const fields = byNumber.filter((field) => field !== undefined);
  return { name, line, fields, byNumber, isList: listWrappers.has(name), schemaLine };
}

function parseType(code: string): FieldType {
  if (code.startsWith('{}')) {
    return { kind: 'map', values: parseType(code.slice(2)) };
  }
  return code.startsWith('#')
    ? { kind: 'message', line: Number(code.slice(1)) }
    : { kind: 'scalar', code: code as ScalarCode };
}
