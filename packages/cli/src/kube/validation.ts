import { VerbError } from './verb-error.ts';

export type FieldValidation = 'Strict' | 'Warn' | 'Ignore';

/** kubectl's --validate: `true` and `false` are old words for strict and ignore. */
export function fieldValidationOf(text: string | boolean): FieldValidation {
  switch (String(text)) {
    case 'strict':
    case 'true':
      return 'Strict';
    case 'warn':
      return 'Warn';
    case 'ignore':
    case 'false':
      return 'Ignore';
    default:
      throw new VerbError(
        `invalid - validate option "${String(text)}": must be one of: strict (or true), warn, ignore (or false)`,
      );
  }
}
