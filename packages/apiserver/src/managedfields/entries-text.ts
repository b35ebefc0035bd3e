import type { ManagedFieldsEntry } from '@wherry/api';
import { OwnedFields } from './owned-fields.ts';

/** JSON of `metadata.managedFields`, from texts where there are any. */
export function entriesText(entries: readonly ManagedFieldsEntry[]): string {
  let text = '[';
  for (const entry of entries) text += `${text.length > 1 ? ',' : ''}${entryText(entry)}`;
  return `${text}]`;
}

function entryText(entry: ManagedFieldsEntry): string {
  const { fieldsV1, ...others } = entry;
  const fields: unknown = fieldsV1;
  if (!(fields instanceof OwnedFields)) return JSON.stringify(entry);
  const rest = JSON.stringify(others);
  return `${rest.slice(0, -1)}${rest === '{}' ? '' : ','}"fieldsV1":${fields.text}}`;
}
