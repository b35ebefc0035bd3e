import type { Field } from './encode-plan.ts';
import { EncodeError } from './errors.ts';
import type { SpecialCode, UnionCode } from './messages.ts';
import { instantOf } from './times.ts';
import type { Writer } from './writer.ts';

/** The content of a small message that is a single value in JSON, without its length. */
export function writeLeaf(to: Writer, field: Field, code: Exclude<SpecialCode, UnionCode>, value: unknown): void {
  switch (code) {
    case 'q':
      to.string(quantity(field, value));
      to.byte(0x0a);
      return;
    case 'x':
      writeIntOrString(to, field, value);
      return;
    case 'r':
      to.string(JSON.stringify(value));
      to.byte(0x0a);
      return;
    default:
      writeTime(to, field, code, value);
  }
}

function quantity(field: Field, value: unknown): string {
  if (typeof value !== 'string' && typeof value !== 'number') {
    throw wrong(field, 'a quantity', value);
  }
  return String(value);
}

function writeTime(to: Writer, field: Field, code: 't' | 'm', value: unknown): void {
  const instant = typeof value === 'string' ? instantOf(value) : undefined;
  if (instant === undefined) {
    throw wrong(field, 'a time', value);
  }
  // Upstream drops the fraction of a Time, which JSON does not show either, and keeps microseconds of a MicroTime.
  to.integer(code === 't' ? 0 : instant.nanos - (instant.nanos % 1000));
  to.byte(0x10);
  to.integer(instant.seconds);
  to.byte(0x08);
}

function writeIntOrString(to: Writer, field: Field, value: unknown): void {
  const isText = typeof value === 'string';
  if (!isText && !Number.isInteger(value)) {
    throw wrong(field, 'an integer or a string', value);
  }
  to.string(isText ? value : '');
  to.byte(0x1a);
  to.integer(isText ? 0 : (value as number));
  to.byte(0x10);
  to.byte(isText ? 1 : 0);
  to.byte(0x08);
}

/** The refusal of a stored value that its field cannot hold. */
export function wrong(field: Field, expected: string, value: unknown): EncodeError {
  return new EncodeError(`field ${field.name} must be ${expected}, not ${JSON.stringify(value)}`);
}
