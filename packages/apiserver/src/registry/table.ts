import type { ApiObject, TableColumnDefinition, TableRow } from '@wherry/api';
import type { Representation } from '../http/negotiate.ts';
import type { Column, Strategy } from '../kinds/strategy.ts';
import { partialOf } from './partial.ts';

export type IncludeObject = 'None' | 'Metadata' | 'Object';

const fallback: readonly Column[] = [
  {
    name: 'Name',
    type: 'string',
    format: 'name',
    description: 'Name must be unique within a namespace.',
    cell: (object) => object.metadata?.name ?? '',
  },
  {
    name: 'Created At',
    type: 'date',
    description: 'CreationTimestamp is the time at which the server created the object.',
    cell: (object) => object.metadata?.creationTimestamp ?? '',
  },
];

const definitions = new WeakMap<readonly Column[], readonly TableColumnDefinition[]>();

export function columnsOf(strategy: Strategy | undefined): readonly TableColumnDefinition[] {
  const columns = strategy?.columns ?? fallback;
  let made = definitions.get(columns);
  if (made === undefined) {
    made = columns.map(({ name, type, format = '', description, priority = 0 }) => ({
      name,
      type,
      format,
      description,
      priority,
    }));
    definitions.set(columns, made);
  }
  return made;
}

/** @param stored in the version of the strategy; `served` in the one the client asked for */
export function tableRow(
  strategy: Strategy | undefined,
  stored: ApiObject,
  served: ApiObject,
  include: IncludeObject,
  nowMs: number,
  how: Representation,
): TableRow {
  const columns = strategy?.columns ?? fallback;
  const conditions = strategy?.rowConditions?.(stored);
  return {
    cells: columns.map((column) => column.cell(stored, nowMs)),
    ...(conditions === undefined || conditions.length === 0 ? {} : { conditions }),
    ...(include === 'None' ? {} : { object: include === 'Object' ? served : partialOf(served, how) }),
  };
}
