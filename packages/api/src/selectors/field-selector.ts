// Field selectors: `metadata.name=web,status.phase!=Running`.
import { SelectorError } from './label-selector.ts';

export interface FieldRequirement {
  readonly field: string;
  readonly operator: '=' | '!=';
  readonly value: string;
}

/**
 * @returns requirements that must all hold; none selects everything
 * @throws SelectorError with upstream's text
 */
export function parseFieldSelector(text: string): readonly FieldRequirement[] {
  return splitTerms(text)
    .filter((term) => term !== '')
    .map((term) => {
      const found = /^((?:[^\\=!]|\\.|!(?!=))*)(!=|==|=)(.*)$/s.exec(term);
      const [, field = '', operator = '', value = ''] = found ?? [];
      if (found === null) throw new SelectorError(`invalid selector: '${text}'; can't understand '${term}'`);
      return { field, operator: operator === '!=' ? '!=' : '=', value: unescapeValue(value) } as const;
    });
}

/** @param fieldOf the value of a field; `''` for one that the object lacks */
export function fieldsMatch(requirements: readonly FieldRequirement[], fieldOf: (field: string) => string): boolean {
  return requirements.every(({ field, operator, value }) => (fieldOf(field) === value) === (operator === '='));
}

/** The value that a selector asks a field to have, if it asks for exactly one. */
export function exactFieldValue(requirements: readonly FieldRequirement[], field: string): string | undefined {
  return requirements.find((requirement) => requirement.field === field && requirement.operator === '=')?.value;
}

export function formatFieldSelector(requirements: readonly FieldRequirement[]): string {
  return requirements.map(({ field, operator, value }) => `${field}${operator}${escapeFieldValue(value)}`).join(',');
}

/** Puts a backslash before the characters that separate terms. */
export function escapeFieldValue(value: string): string {
  return value.replace(/[\\,=]/g, '\\$&');
}

function unescapeValue(value: string): string {
  const sequences = /\\(.?)/gs;
  return value.replace(sequences, (sequence, next: string) => {
    if (next !== '\\' && next !== ',' && next !== '=') {
      throw new SelectorError(`invalid field selector: invalid escape sequence: ${sequence}`);
    }
    return next;
  });
}

function splitTerms(text: string): string[] {
  const terms: string[] = [];
  let start = 0;
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charAt(at);
    if (character === '\\') at += 1;
    else if (character === ',') {
      terms.push(text.slice(start, at));
      start = at + 1;
    }
  }
  terms.push(text.slice(start));
  return terms;
}
