// The text form of label selectors: `app=web,tier in (a, b),!canary,version>3`. Grammar and messages are upstream's.
import { qualifiedNameProblems } from '../names/names.ts';
import { invalidValue } from '../status/field-error.ts';
import {
  checkRequirement,
  type LabelFilter,
  type LabelOperator,
  type LabelRequirement,
  SelectorError,
} from './label-selector.ts';

type TokenKind = 'identifier' | 'operator' | '(' | ')' | ',' | '!' | 'end';

interface Token {
  readonly kind: TokenKind;
  readonly text: string;
}

const symbols = ['==', '!=', '=', '!', '>', '<', '(', ')', ','] as const;
const operators: Readonly<Record<string, LabelOperator>> = {
  '=': '=',
  '==': '==',
  '!=': '!=',
  '>': 'gt',
  '<': 'lt',
  in: 'in',
  notin: 'notin',
};

/** @throws SelectorError with upstream's text */
export function parseLabelSelector(text: string): LabelFilter {
  const cursor = new Cursor(scan(text));
  const requirements: LabelRequirement[] = [];
  while (cursor.next.kind !== 'end') {
    if (cursor.next.kind !== 'identifier' && cursor.next.kind !== '!') {
      throw unexpected(cursor.next, "!, identifier, or 'end of string'");
    }
    requirements.push(parseRequirement(cursor));
    const after = cursor.take();
    if (after.kind === 'end') break;
    if (after.kind !== ',') throw unexpected(after, "',' or 'end of string'");
    if (cursor.next.kind !== 'identifier' && cursor.next.kind !== '!') {
      throw unexpected(cursor.next, "identifier after ','");
    }
  }
  return {
    requirements: requirements.toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)),
    nothing: false,
  };
}

function parseRequirement(cursor: Cursor): LabelRequirement {
  try {
    const negated = cursor.next.kind === '!';
    if (negated) cursor.take();
    const key = cursor.take();
    if (key.kind !== 'identifier') throw unexpected(key, 'identifier');
    const problems = qualifiedNameProblems(key.text);
    if (problems.length > 0) {
      throw new SelectorError(`<nil>: ${invalidValue('', key.text, problems.join('; ')).message}`);
    }
    if (negated) return { key: key.text, operator: '!', values: [] };
    if (cursor.next.kind === 'end' || cursor.next.kind === ',')
      return { key: key.text, operator: 'exists', values: [] };
    const operator = operators[cursor.next.text];
    if (operator === undefined) throw unexpected(cursor.next, 'in, notin, =, ==, !=, gt, lt');
    cursor.take();
    const values = operator === 'in' || operator === 'notin' ? parseValues(cursor) : [parseValue(cursor)];
    return checkRequirement({ key: key.text, operator, values });
  } catch (cause) {
    if (cause instanceof SelectorError)
      throw new SelectorError(`unable to parse requirement: ${cause.message}`, { cause });
    throw cause;
  }
}

function parseValue(cursor: Cursor): string {
  if (cursor.next.kind === 'end' || cursor.next.kind === ',') return '';
  const token = cursor.take();
  if (token.kind !== 'identifier') throw unexpected(token, 'identifier');
  return token.text;
}

function parseValues(cursor: Cursor): string[] {
  const open = cursor.take();
  if (open.kind !== '(') throw new SelectorError(`found '${open.text}' expected: '('`);
  const values = new Set<string>();
  let expectValue = true;
  for (;;) {
    const token = cursor.take();
    if (token.kind === ')') {
      // An empty element stands before a closing parenthesis that follows a comma; `()` has no element.
      if (expectValue && values.size > 0) values.add('');
      return [...values].sort();
    }
    if (token.kind === ',') {
      if (expectValue) values.add('');
      expectValue = true;
    } else if (token.kind === 'identifier' && expectValue) {
      values.add(token.text);
      expectValue = false;
    } else {
      throw unexpected(token, expectValue ? "',', ')' or identifier" : "',' or ')'");
    }
  }
}

function unexpected(token: Token, expected: string): SelectorError {
  return new SelectorError(`found '${token.text}', expected: ${expected}`);
}

class Cursor {
  readonly #tokens: readonly Token[];
  #position = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  get next(): Token {
    return this.#tokens[this.#position] ?? { kind: 'end', text: '' };
  }

  take(): Token {
    const token = this.next;
    this.#position += 1;
    return token;
  }
}

/** `in` and `notin` are identifiers too: they are operators only where one is expected. */
function scan(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    if (/\s/.test(text.charAt(at))) {
      at += 1;
      continue;
    }
    const symbol = symbols.find((candidate) => text.startsWith(candidate, at));
    if (symbol !== undefined) {
      tokens.push({ kind: operators[symbol] === undefined ? (symbol as TokenKind) : 'operator', text: symbol });
      at += symbol.length;
      continue;
    }
    const word = /[^\s=!(),><]+/y;
    word.lastIndex = at;
    const found = word.exec(text)?.[0] ?? '';
    tokens.push({ kind: 'identifier', text: found });
    at += found.length;
  }
  return tokens;
}
