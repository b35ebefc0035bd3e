// YAML as kubectl writes it (Go's yaml library): sorted keys, lists not indented, its choice of quotes, lines folded at 80.

import { byYamlOrder } from './yaml-order.ts';
import { isCore } from './yaml-scalars.ts';

/** Column after which a line is folded at the next blank. */
const LINE_MAX = 80;

export function toYaml(value: unknown): string {
  return `${blockOf(value, 0, 0).replace(/^\n/, '')}\n`;
}

/** What follows `key:` or `-`; begins with a blank or a new line. */
function blockOf(value: unknown, indent: number, column: number): string {
  if (Array.isArray(value)) {
    if (value.length === 0) return ' []';
    return value.map((item) => `\n${blanks(indent)}-${itemOf(item, indent)}`).join('');
  }
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).filter(([, one]) => one !== undefined);
    if (entries.length === 0) return ' {}';
    return entries
      .sort(([a], [b]) => byYamlOrder(a, b))
      .map(([key, one]) => `\n${blanks(indent)}${entryOf(key, one, indent)}`)
      .join('');
  }
  return ` ${scalar(value, indent, column + 1)}`;
}

function entryOf(key: string, value: unknown, indent: number): string {
  const name = scalar(key, indent, 0, true);
  // Lists in maps stay at the map's own column; maps go two blanks deeper.
  const inner = Array.isArray(value) ? indent : indent + 2;
  return `${name}:${blockOf(value, inner, indent + name.length + 1)}`;
}

/** A list's item: its first line follows the dash. */
function itemOf(item: unknown, indent: number): string {
  const block = blockOf(item, indent + 2, indent + 1);
  return block.startsWith('\n') ? ` ${block.slice(indent + 3)}` : block;
}

function blanks(count: number): string {
  return ' '.repeat(count);
}

function scalar(value: unknown, indent: number, column: number, isKey = false): string {
  if (value === null || value === undefined) return 'null';
  if (typeof value !== 'string') return typeof value === 'number' ? numberText(value) : String(value);
  if (value.includes('\n') && !isKey && mayBeLiteral(value)) return literal(value, indent);
  if (value.includes('\n') || hasSpecial(value)) return doubleQuoted(value, indent, column, isKey);
  if (!isCore(value)) return doubleQuoted(value, indent, column, isKey);
  if (mayBePlain(value)) return isKey ? value : fold(value, indent, column);
  const quoted = `'${value.replaceAll("'", "''")}'`;
  return isKey ? quoted : fold(quoted, indent, column);
}

/** Go's shortest form of a number. */
function numberText(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e21) return String(value);
  return String(value).replace(/e([+-])(\d)$/, 'e$10$2');
}

function mayBePlain(text: string): boolean {
  if (text === '' || /^[ ]|[ ]$/.test(text)) return false;
  if (/^(---|\.\.\.)/.test(text)) return false;
  if (/^[#,[\]{}&*!|>'"%@`]/.test(text)) return false;
  if (/^[-?:](\s|$)/.test(text)) return false;
  return !/:(\s|$)|\s#/.test(text);
}

/** Neither printable ASCII nor a letter of the basic plane: only double quotes can hold it. */
function hasSpecial(text: string): boolean {
  return /[^\n\x20-\x7e\u00a0-\ud7ff\ue000-\ufefe\uff00-\ufffd]/u.test(text);
}

function mayBeLiteral(text: string): boolean {
  return !hasSpecial(text) && !/ \n| $/.test(text);
}

function literal(text: string, indent: number): string {
  // Without a first line that shows it, the depth is said.
  const depth = /^[ \n]/.test(text) ? '2' : '';
  const chomp = !text.endsWith('\n') ? '-' : text === '\n' || text.endsWith('\n\n') ? '+' : '';
  const body = chomp === '-' ? text : text.slice(0, -1);
  const pad = blanks(Math.max(indent, 2));
  return `|${depth}${chomp}${body
    .split('\n')
    .map((line) => `\n${line === '' ? '' : pad + line}`)
    .join('')}`;
}

/** Breaks at single blanks once a line has become too long. */
function fold(text: string, indent: number, column: number): string {
  if (column + text.length <= LINE_MAX) return text;
  let line = '';
  let at = column;
  let out = '';
  const words = text.split(' ');
  words.forEach((word, index) => {
    if (index > 0) {
      const isSingle = word !== '' && words[index - 1] !== '';
      if (at > LINE_MAX && isSingle) {
        out += `${line}\n${blanks(Math.max(indent, 2))}`;
        line = '';
        at = Math.max(indent, 2);
      } else {
        line += ' ';
        at++;
      }
    }
    line += word;
    at += word.length;
  });
  return out + line;
}

const named: Readonly<Record<string, string>> = {
  '\0': '\\0',
  '\x07': '\\a',
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\v': '\\v',
  '\f': '\\f',
  '\r': '\\r',
  '\x1b': '\\e',
  '"': '\\"',
  '\\': '\\\\',
  '\x85': '\\N',
  '\u2028': '\\L',
  '\u2029': '\\P',
  '\ufeff': '\\uFEFF',
};

function escaped(character: string): string {
  const known = named[character];
  if (known !== undefined) return known;
  if (!hasSpecial(character)) return character;
  const code = character.codePointAt(0) ?? 0;
  const hex = code.toString(16).toUpperCase();
  return code <= 0xff
    ? `\\x${hex.padStart(2, '0')}`
    : code <= 0xffff
      ? `\\u${hex.padStart(4, '0')}`
      : `\\U${hex.padStart(8, '0')}`;
}

function doubleQuoted(text: string, indent: number, column: number, isKey: boolean): string {
  let out = '"';
  let at = column + 1;
  const characters = [...text];
  characters.forEach((character, index) => {
    const isInner = index > 0 && index < characters.length - 1;
    if (character === ' ' && !isKey && at > LINE_MAX && isInner && characters[index - 1] !== ' ') {
      out += `\n${blanks(Math.max(indent, 2))}`;
      at = Math.max(indent, 2);
      // A blank that begins a line would be lost.
      if (characters[index + 1] === ' ') out += '\\';
      return;
    }
    const one = escaped(character);
    out += one;
    at += one.length;
  });
  return `${out}"`;
}
