import { protobufFields } from './generated/fields.ts';

/** What a field's bytes mean. */
export type FieldType =
  | { readonly kind: 'scalar'; readonly code: ScalarCode }
  | { readonly kind: 'message'; readonly line: number }
  | { readonly kind: 'map'; readonly values: FieldType };

/** string, bool, integer, double, bytes; then messages with a JSON form of their own: see `decode.ts`. */
export type ScalarCode = 's' | 'b' | 'i' | 'd' | 'y' | 'q' | 't' | 'm' | 'x' | 'r' | 'A' | 'B' | 'S';

export interface MessageField {
  readonly name: string;
  readonly type: FieldType;
  readonly repeated: boolean;
  /** Its fields stand in the JSON of the message around it. */
  readonly inline: boolean;
  /** JSON leaves the zero value out. */
  readonly omitEmpty: boolean;
}

export interface Message {
  readonly name: string;
  readonly fields: ReadonlyMap<number, MessageField>;
  /** Wrappers around a list of strings: JSON is the list itself. */
  readonly isList: boolean;
}

interface Index {
  readonly lines: readonly string[];
  readonly byKind: ReadonlyMap<string, number>;
}

let built: Index | undefined;
const parsed = new Map<number, Message>();

function index(): Index {
  if (built === undefined) {
    const lines = protobufFields.split('\n');
    const byKind = new Map<string, number>();
    let home = '';
    for (const [number, line] of lines.entries()) {
      if (line.startsWith('=')) {
        home = line.slice(1);
      } else {
        byKind.set(`${home}/${line.slice(0, line.indexOf('|') === -1 ? line.length : line.indexOf('|'))}`, number);
      }
    }
    built = { lines, byKind };
  }
  return built;
}

/** The message of a kind; the kinds that exist in every group (DeleteOptions) are found as well. */
export function messageOfKind(group: string, version: string, kind: string): Message | undefined {
  const { byKind } = index();
  const line = byKind.get(`${group}/${version}/${kind}`) ?? byKind.get(`meta.k8s.io/v1/${kind}`);
  return line === undefined ? undefined : messageAt(line);
}

export function messageAt(line: number): Message {
  let message = parsed.get(line);
  if (message === undefined) {
    message = parseMessage(index().lines[line] ?? '');
    parsed.set(line, message);
  }
  return message;
}

const listWrappers = new Set(['ExtraValue', 'Verbs']);

function parseMessage(text: string): Message {
  const [name = '', ...parts] = text.split('|');
  const fields = new Map<number, MessageField>();
  for (const part of parts) {
    const [field = '', number = '', code = ''] = part.split(' ');
    const flags = /^[*~?]*/.exec(code)?.[0] ?? '';
    fields.set(Number(number), {
      name: field,
      type: parseType(code.slice(flags.length)),
      repeated: flags.includes('*'),
      inline: flags.includes('~'),
      omitEmpty: flags.includes('?'),
    });
  }
  return { name, fields, isList: listWrappers.has(name) };
}

function parseType(code: string): FieldType {
  if (code.startsWith('{}')) {
    return { kind: 'map', values: parseType(code.slice(2)) };
  }
  return code.startsWith('#')
    ? { kind: 'message', line: Number(code.slice(1)) }
    : { kind: 'scalar', code: code as ScalarCode };
}
