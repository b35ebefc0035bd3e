// JSONPath templates as kubectl's -o jsonpath and custom-columns read them: text with {expressions}, {range}…{end}.
import { VerbError } from '../kube/verb-error.ts';
import { goJson } from './go-json.ts';

/** A mistake in a template, with the text that could not be read. */
export class JsonPathError extends VerbError {}

type Step =
  | { readonly kind: 'fields'; readonly names: readonly string[] }
  | { readonly kind: 'wildcard' }
  | { readonly kind: 'descend' }
  | {
      readonly kind: 'slice';
      readonly start: number | undefined;
      readonly end: number | undefined;
      readonly step: number;
    }
  | { readonly kind: 'index'; readonly indexes: readonly number[] }
  | { readonly kind: 'filter'; readonly left: readonly Step[]; readonly operator: string; readonly right: Operand };
type Operand =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'path'; readonly steps: readonly Step[] };
type Part =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'path'; readonly steps: readonly Step[] }
  | { readonly kind: 'range'; readonly steps: readonly Step[]; readonly body: readonly Part[] };

/** Fills a template from an object. Missing fields give nothing. */
export function fillTemplate(template: string, object: unknown): string {
  return fill(parse(template), object);
}

function parse(template: string): readonly Part[] {
  try {
    return parseParts(tokenize(template), false);
  } catch (error) {
    if (!(error instanceof JsonPathError)) throw error;
    throw new JsonPathError(`error parsing jsonpath ${template}, ${error.message}`);
  }
}

/** All values at a path such as `.items[*].metadata.name`, with or without braces. */
export function valuesAt(path: string, object: unknown): readonly unknown[] {
  const bare = path.replace(/^\{(.*)\}$/s, '$1');
  return walk(parsePath(bare.startsWith('.') || bare.startsWith('[') || bare.startsWith('$') ? bare : `.${bare}`), [
    object,
  ]);
}

/** As kubectl prints a value inside text. */
export function valueText(value: unknown): string {
  if (value === null || value === undefined) return '';
  return typeof value === 'object' ? goJson(value) : String(value);
}

function fill(parts: readonly Part[], object: unknown): string {
  return parts
    .map((part) => {
      if (part.kind === 'text') return part.text;
      const values = walk(part.steps, [object]);
      return part.kind === 'path'
        ? values.map(valueText).join(' ')
        : values.map((value) => fill(part.body, value)).join('');
    })
    .join('');
}

/** Literal text and the contents of braces, in order. */
function tokenize(template: string): { readonly inside: boolean; readonly text: string }[] {
  const tokens: { inside: boolean; text: string }[] = [];
  let rest = template;
  while (rest !== '') {
    const open = rest.indexOf('{');
    if (open === -1) {
      tokens.push({ inside: false, text: rest });
      break;
    }
    if (open > 0) tokens.push({ inside: false, text: rest.slice(0, open) });
    const close = closingBrace(rest, open);
    tokens.push({ inside: true, text: rest.slice(open + 1, close).trim() });
    rest = rest.slice(close + 1);
  }
  return tokens;
}

function closingBrace(text: string, open: number): number {
  let quote = '';
  for (let at = open + 1; at < text.length; at++) {
    const character = text[at] ?? '';
    if (quote !== '') {
      if (character === '\\') at++;
      else if (character === quote) quote = '';
    } else if (character === '"' || character === "'") quote = character;
    else if (character === '}') return at;
  }
  throw new JsonPathError('unclosed action');
}

function parseParts(tokens: { readonly inside: boolean; readonly text: string }[], inRange: boolean): readonly Part[] {
  const parts: Part[] = [];
  for (let token = tokens.shift(); token !== undefined; token = tokens.shift()) {
    if (!token.inside) parts.push({ kind: 'text', text: token.text });
    else if (token.text === 'end') {
      if (!inRange) throw new JsonPathError('not in range, nothing to end');
      return parts;
    } else if (/^range\b/.test(token.text)) {
      const steps = parsePath(token.text.slice('range'.length).trim());
      parts.push({ kind: 'range', steps, body: parseParts(tokens, true) });
    } else if (/^["']/.test(token.text)) parts.push({ kind: 'text', text: literal(token.text) });
    else parts.push({ kind: 'path', steps: parsePath(token.text) });
  }
  if (inRange) throw new JsonPathError('unclosed range');
  return parts;
}

function literal(text: string): string {
  const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r' };
  return text.slice(1, -1).replace(/\\(.)/g, (_, character: string) => escapes[character] ?? character);
}

function parsePath(text: string): readonly Step[] {
  const steps: Step[] = [];
  let rest = text.replace(/^[$@]/, '');
  while (rest !== '') {
    const field = /^\.((?:[^.[\\]|\\.)+)/.exec(rest);
    if (rest.startsWith('..')) {
      steps.push({ kind: 'descend' });
      rest = rest.slice(1);
      if (rest === '.') throw new JsonPathError(`"${text}" ends in ".."`);
    } else if (field !== null) {
      const name = (field[1] ?? '').replace(/\\(.)/g, '$1');
      steps.push(name === '*' ? { kind: 'wildcard' } : { kind: 'fields', names: [name] });
      rest = rest.slice(field[0].length);
    } else if (rest.startsWith('[')) {
      const close = closingBracket(rest);
      steps.push(bracket(rest.slice(1, close).trim()));
      rest = rest.slice(close + 1);
    } else if (rest === '.') rest = '';
    else throw new JsonPathError(`unrecognized path "${rest}" in "${text}"`);
  }
  return steps;
}

function closingBracket(text: string): number {
  let depth = 0;
  let quote = '';
  for (let at = 0; at < text.length; at++) {
    const character = text[at] ?? '';
    if (quote !== '') quote = character === quote ? '' : quote;
    else if (character === '"' || character === "'") quote = character;
    else if (character === '[') depth++;
    else if (character === ']' && --depth === 0) return at;
  }
  throw new JsonPathError(`unterminated array in "${text}"`);
}

function bracket(text: string): Step {
  if (text === '*') return { kind: 'wildcard' };
  if (/^["']/.test(text)) return { kind: 'fields', names: quotedNames(text) };
  const filter = /^\?\((.*)\)$/s.exec(text);
  if (filter !== null) return filterStep(filter[1] ?? '');
  if (/^-?\d+(\s*,\s*-?\d+)*$/.test(text)) return { kind: 'index', indexes: text.split(',').map(Number) };
  const slice = /^(-?\d*):(-?\d*)(?::(\d+))?$/.exec(text);
  if (slice === null) throw new JsonPathError(`invalid array index "${text}"`);
  const bound = (part: string | undefined) => (part === undefined || part === '' ? undefined : Number(part));
  return { kind: 'slice', start: bound(slice[1]), end: bound(slice[2]), step: bound(slice[3]) ?? 1 };
}

/** `'a'` or `'a','b'`. */
function quotedNames(text: string): readonly string[] {
  const names = [...text.matchAll(/'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"/g)];
  return names.map(([, single, double]) => (single ?? double ?? '').replace(/\\(.)/g, '$1'));
}

function filterStep(text: string): Step {
  const match = /^\s*(@.*?)\s*(==|!=|<=|>=|<|>)\s*(.+?)\s*$/s.exec(text);
  if (match === null)
    return { kind: 'filter', left: parsePath(text.trim()), operator: 'exists', right: { kind: 'value', value: true } };
  const [, left = '', operator = '', right = ''] = match;
  return { kind: 'filter', left: parsePath(left), operator, right: operand(right) };
}

function operand(text: string): Operand {
  if (text.startsWith('@')) return { kind: 'path', steps: parsePath(text) };
  if (/^["']/.test(text)) return { kind: 'value', value: literal(text) };
  if (text === 'true' || text === 'false') return { kind: 'value', value: text === 'true' };
  const value = Number(text);
  if (Number.isNaN(value)) throw new JsonPathError(`unrecognized operand "${text}"`);
  return { kind: 'value', value };
}

function walk(steps: readonly Step[], from: readonly unknown[]): readonly unknown[] {
  let values = from;
  for (const step of steps) values = values.flatMap((value) => take(step, value));
  return values;
}

function take(step: Step, value: unknown): readonly unknown[] {
  switch (step.kind) {
    case 'fields':
      return isRecord(value) ? step.names.filter((name) => Object.hasOwn(value, name)).map((name) => value[name]) : [];
    case 'wildcard':
      return childrenOf(value);
    case 'descend':
      return [value, ...childrenOf(value).flatMap((child) => take(step, child))];
    case 'index':
      return Array.isArray(value)
        ? step.indexes.map((index) => value.at(index)).filter((item) => item !== undefined)
        : [];
    case 'slice':
      return Array.isArray(value)
        ? value.slice(step.start ?? 0, step.end).filter((_, index) => index % step.step === 0)
        : [];
    case 'filter':
      return childrenOf(value).filter((child) => passes(step, child));
  }
}

function passes(step: Step & { readonly kind: 'filter' }, child: unknown): boolean {
  const left = walk(step.left, [child]);
  if (step.operator === 'exists') return left.length > 0;
  const right = step.right.kind === 'value' ? step.right.value : walk(step.right.steps, [child])[0];
  return left.length > 0 && compare(left[0], step.operator, right);
}

function compare(left: unknown, operator: string, right: unknown): boolean {
  if (operator === '==') return left === right;
  if (operator === '!=') return left !== right;
  if (typeof left !== typeof right || (typeof left !== 'number' && typeof left !== 'string')) return false;
  const order = left < (right as typeof left) ? -1 : left > (right as typeof left) ? 1 : 0;
  return operator === '<' ? order < 0 : operator === '>' ? order > 0 : operator === '<=' ? order <= 0 : order >= 0;
}

function childrenOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  return isRecord(value) ? Object.values(value) : [];
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
