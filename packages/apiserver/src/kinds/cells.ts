// Columns and cell texts that several kinds share, in upstream's form.
import {
  type ApiObject,
  type Container,
  compileLabelSelector,
  formatLabelFilter,
  type LabelSelector,
  labelFilterOf,
  SelectorError,
} from '@wherry/api';
import type { StringMap } from './checks.ts';
import { since } from './human-duration.ts';
import type { CellValue, Column } from './strategy.ts';

export const none = '<none>';
export const unset = '<unset>';

export function text<T extends ApiObject>(name: string, cell: (object: T, nowMs: number) => CellValue): Column<T> {
  return { name, type: 'string', description: '', cell };
}

export function count<T extends ApiObject>(name: string, cell: (object: T) => number | undefined): Column<T> {
  return { name, type: 'integer', description: '', cell: (object) => cell(object) ?? 0 };
}

export function flag<T extends ApiObject>(name: string, cell: (object: T) => boolean | undefined): Column<T> {
  return { name, type: 'boolean', description: '', cell: (object) => cell(object) ?? false };
}

/** Shown with `-o wide` only. */
export function wide<T extends ApiObject>(column: Column<T>): Column<T> {
  return { ...column, priority: 1 };
}

export const nameColumn: Column = {
  name: 'Name',
  type: 'string',
  format: 'name',
  description: 'Name of the object, unique among those of its kind and namespace',
  cell: (object) => object.metadata?.name ?? '',
};

export const ageColumn: Column = {
  name: 'Age',
  type: 'string',
  description: 'Time since the object was created',
  cell: age,
};

export function age(object: ApiObject, nowMs: number): string {
  return since(object.metadata?.creationTimestamp, nowMs);
}

/** Containers, Images and Selector of a controller's pods, for `-o wide`. */
export function podColumns<T extends ApiObject>(
  containers: (object: T) => readonly Container[] | undefined,
  selector?: (object: T) => string,
): readonly Column<T>[] {
  const columns = [
    wide(text<T>('Containers', (object) => join(containers(object), ({ name }) => name))),
    wide(text<T>('Images', (object) => join(containers(object), ({ image }) => image ?? ''))),
  ];
  return selector === undefined ? columns : [...columns, wide(text<T>('Selector', selector))];
}

/** `a=b,c=d`, or `<none>`. */
export function labelsText(labels: StringMap | undefined): string {
  return formatLabelFilter(labelFilterOf(labels ?? {})) || none;
}

export function selectorText(selector: LabelSelector | undefined, empty: string = none): string {
  if (selector === undefined) return empty;
  try {
    return formatLabelFilter(compileLabelSelector(selector)) || empty;
  } catch (error) {
    // Stored objects were validated; one from an older rule still has to be shown.
    if (error instanceof SelectorError) return '<error>';
    throw error;
  }
}

/** At most `shownMax` entries, then how many more there are. */
export function shortList(entries: readonly string[], shownMax: number, total: number, separator = ','): string {
  const shown = entries.slice(0, shownMax).join(separator);
  return entries.length > shownMax ? `${shown} + ${total - shownMax} more...` : shown;
}

export function trueFalse(value: boolean | undefined): string {
  if (value === undefined) return unset;
  return value ? 'True' : 'False';
}

function join(containers: readonly Container[] | undefined, part: (container: Container) => string): string {
  return (containers ?? []).map(part).join(',');
}
