// One problem with one field, with the texts of Kubernetes' `field` package.

export type FieldErrorType =
  | 'FieldValueNotFound'
  | 'FieldValueRequired'
  | 'FieldValueDuplicate'
  | 'FieldValueInvalid'
  | 'FieldValueNotSupported'
  | 'FieldValueForbidden'
  | 'FieldValueTooLong'
  | 'FieldValueTooMany'
  | 'FieldValueTypeInvalid'
  | 'InternalError';

export interface FieldError {
  readonly type: FieldErrorType;
  /** Path as clients see it: `spec.containers[0].name`, `metadata.labels`. */
  readonly field: string;
  /** Text after the path, as `Required value` or `Invalid value: "x": must be …`. */
  readonly message: string;
}

const titles: Readonly<Record<FieldErrorType, string>> = {
  FieldValueNotFound: 'Not found',
  FieldValueRequired: 'Required value',
  FieldValueDuplicate: 'Duplicate value',
  FieldValueInvalid: 'Invalid value',
  FieldValueNotSupported: 'Unsupported value',
  FieldValueForbidden: 'Forbidden',
  FieldValueTooLong: 'Too long',
  FieldValueTooMany: 'Too many',
  FieldValueTypeInvalid: 'Invalid value',
  InternalError: 'Internal error',
};

export function required(path: string, detail = ''): FieldError {
  return withoutValue('FieldValueRequired', path, detail);
}

export function invalidValue(path: string, value: unknown, detail: string): FieldError {
  return withValue('FieldValueInvalid', path, value, detail);
}

/** For a value of the wrong JSON type. */
export function typeInvalid(path: string, value: unknown, detail: string): FieldError {
  return withValue('FieldValueTypeInvalid', path, value, detail);
}

/** @param allowed named in the text in the order given; upstream sorts them */
export function notSupported(path: string, value: unknown, allowed: readonly string[]): FieldError {
  const detail = allowed.length === 0 ? '' : `supported values: ${allowed.map(quote).join(', ')}`;
  return withValue('FieldValueNotSupported', path, value, detail);
}

export function duplicate(path: string, value: unknown): FieldError {
  return withValue('FieldValueDuplicate', path, value, '');
}

export function forbiddenField(path: string, detail: string): FieldError {
  return withoutValue('FieldValueForbidden', path, detail);
}

export function notFoundValue(path: string, value: unknown): FieldError {
  return withValue('FieldValueNotFound', path, value, '');
}

export function tooLong(path: string, lengthMax: number): FieldError {
  return withoutValue('FieldValueTooLong', path, `may not be more than ${lengthMax} bytes`);
}

export function tooMany(path: string, count: number, countMax: number): FieldError {
  return withValue('FieldValueTooMany', path, count, `must have at most ${countMax} items`);
}

export function internalFieldError(path: string, detail: string): FieldError {
  return withoutValue('InternalError', path, detail);
}

/** `spec.replicas: Invalid value: -1: must be greater than or equal to 0`. */
export function fieldErrorText(error: FieldError): string {
  return `${error.field}: ${error.message}`;
}

/** Texts of all errors, without repetitions; several are put in brackets. Empty for none. */
export function aggregateText(errors: readonly FieldError[]): string {
  const texts = [...new Set(errors.map(fieldErrorText))];
  return texts.length > 1 ? `[${texts.join(', ')}]` : (texts[0] ?? '');
}

function withoutValue(type: FieldErrorType, field: string, detail: string): FieldError {
  return { type, field, message: detail === '' ? titles[type] : `${titles[type]}: ${detail}` };
}

function withValue(type: FieldErrorType, field: string, value: unknown, detail: string): FieldError {
  const text = `${titles[type]}: ${describe(value)}`;
  return { type, field, message: detail === '' ? text : `${text}: ${detail}` };
}

function describe(value: unknown): string {
  if (value === undefined || value === null) return '"null"';
  if (typeof value === 'string') return quote(value);
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** A string as Go's `%q` prints it; the escapes of JSON and Go agree for all that names and texts contain. */
export function quote(text: string): string {
  return JSON.stringify(text);
}
