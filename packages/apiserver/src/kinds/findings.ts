// What validation finds. Checks append to a list instead of returning one: a good object allocates nothing.
import { type FieldError, notFoundValue, tooLong as tooLongField } from '@wherry/api';

export {
  duplicate,
  forbiddenField as forbidden,
  invalidValue as invalid,
  notSupported,
  required,
  tooMany,
} from '@wherry/api';

export type Findings = FieldError[];

/** `detail` for the few places where upstream says what could have been meant. */
export function notFound(path: string, value: unknown, detail = ''): FieldError {
  const error = notFoundValue(path, value);
  return detail === '' ? error : { ...error, message: `${error.message}: ${detail}` };
}

/** The value is not repeated in the text, so that an oversized one does not come back to the client. */
export function tooLong(path: string, _value: unknown, lengthMax: number): FieldError {
  return tooLongField(path, lengthMax);
}

/** An invalid value whose text does not repeat it. */
export function invalidWithoutValue(path: string, detail: string): FieldError {
  return { type: 'FieldValueInvalid', field: path, message: `Invalid value: ${detail}` };
}

/** A duplicate that says which pair or rule made it one. */
export function duplicateBecause(path: string, value: unknown, detail: string): FieldError {
  return { type: 'FieldValueDuplicate', field: path, message: `Duplicate value: ${JSON.stringify(value)}: ${detail}` };
}
