import { type FieldError, invalidValue } from '@wherry/api';

/** Bytes of a manager's name. */
const NAME_BYTES_MAX = 128;

/** What Go prints as it is: letters, marks, numbers, punctuation, symbols, and the plain space. */
const printable = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;

/** Whom a write is ascribed to: who it says it is, or what program sent it. */
export function managerName(fieldManager: string, userAgent: string | undefined): string {
  return fieldManager === '' ? programName(userAgent ?? '') : fieldManager;
}

/** The program's name in a User-Agent: what stands before the first slash, as far as it can be shown. */
function programName(userAgent: string): string {
  const encoder = new TextEncoder();
  let name = '';
  let sizeBytes = 0;
  for (const char of userAgent.split('/', 1)[0] ?? '') {
    if (!printable.test(char)) continue;
    sizeBytes += encoder.encode(char).length;
    if (sizeBytes > NAME_BYTES_MAX) break;
    name += char;
  }
  return name;
}

/** What is wrong with the name that a request gives (upstream's ValidateFieldManager). */
export function managerNameErrors(name: string): readonly FieldError[] {
  const errors: FieldError[] = [];
  if (new TextEncoder().encode(name).length > NAME_BYTES_MAX) {
    errors.push({
      type: 'FieldValueTooLong',
      field: 'fieldManager',
      message: `Too long: may not be more than ${NAME_BYTES_MAX} bytes`,
    });
  }
  let position = 0;
  for (const char of name) {
    if (!printable.test(char)) {
      errors.push(
        invalidValue('fieldManager', name, `invalid character ${codePointText(char)} (at position ${position})`),
      );
    }
    position += new TextEncoder().encode(char).length;
  }
  return errors;
}

/** Go's `%#U` of a character that cannot be printed. */
function codePointText(char: string): string {
  return `U+${(char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
}
