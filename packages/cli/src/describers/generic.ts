import type { ApiObject } from '@wherry/api';
import { type Describer, describeName, describeWords } from './describer.ts';
import type { Outline } from './outline.ts';

/** Said already, or of no interest to a reader. */
const skipped = new Set([
  '.metadata.managedFields',
  '.metadata.name',
  '.metadata.namespace',
  '.metadata.labels',
  '.metadata.annotations',
]);
const acronyms = new Set(['API', 'URL', 'UID', 'OSB', 'GUID']);

/** Kinds without a description of their own: all their fields, with labels made of the fields' names. */
export const describeGeneric: Describer = (object, outline) => {
  describeName(outline, object);
  describeWords(outline, object);
  describeFields(outline, object as ApiObject & Readonly<Record<string, unknown>>, '');
};

function describeFields(outline: Outline, fields: Readonly<Record<string, unknown>>, path: string): void {
  for (const [name, value] of Object.entries(fields).sort(([a], [b]) => (a < b ? -1 : 1))) {
    const at = `${path}.${name}`;
    if (skipped.has(at)) continue;
    const label = labelOf(name);
    if (Array.isArray(value)) {
      outline.block(label, (inner) => {
        for (const item of value as readonly unknown[]) {
          if (isObject(item)) describeFields(inner, item, at);
          else inner.row(String(item));
        }
      });
    } else if (isObject(value)) outline.block(label, (inner) => describeFields(inner, value, at));
    else outline.field(label, value === null ? '<nil>' : String(value));
  }
}

/** `creationTimestamp` → `Creation Timestamp`. */
export function labelOf(field: string): string {
  if (/[^\p{L}-]/u.test(field)) return field;
  const parts = field.match(/\p{Lu}+(?!\p{Ll})|\p{Lu}?\p{Ll}+|-/gu) ?? [field];
  return parts
    .map((part) =>
      acronyms.has(part.toUpperCase()) ? part.toUpperCase() : part.charAt(0).toUpperCase() + part.slice(1),
    )
    .join(' ');
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
