import type { ApiObject, Table } from '@wherry/api';
import { byBytes } from './go-json.ts';

export interface TableOptions {
  /** Also columns of a priority above 0. */
  readonly wide: boolean;
  /** Before each name, for example `pod/`, when several types are shown. */
  readonly namePrefix: string;
  readonly namespaces: boolean;
  readonly showLabels: boolean;
  readonly labelColumns: readonly string[];
}

/** Cells of a server's Table, the headings first. */
export function tableCells(table: Table, options: TableOptions): readonly (readonly string[])[] {
  const shown = table.columnDefinitions
    .map((column, index) => ({ ...column, index }))
    .filter(({ priority }) => options.wide || priority === 0);
  const heading = [
    ...(options.namespaces ? ['NAMESPACE'] : []),
    ...shown.map(({ name }) => name.toUpperCase()),
    ...options.labelColumns.map((key) => (key.split('/').at(-1) ?? key).toUpperCase()),
    ...(options.showLabels ? ['LABELS'] : []),
  ];
  const rows = table.rows.map(({ cells, object }) => {
    const metadata = (object as ApiObject | undefined)?.metadata;
    return [
      ...(options.namespaces ? [metadata?.namespace ?? ''] : []),
      ...shown.map(({ index, name }) => (name === 'Name' ? options.namePrefix : '') + cellText(cells[index])),
      ...options.labelColumns.map((key) => metadata?.labels?.[key] ?? ''),
      ...(options.showLabels ? [labelsText(metadata?.labels)] : []),
    ];
  });
  return [heading, ...rows];
}

export function labelsText(labels: Readonly<Record<string, string>> | undefined): string {
  const entries = Object.entries(labels ?? {}).sort(([a], [b]) => byBytes(a, b));
  return entries.length === 0 ? '<none>' : entries.map(([key, value]) => `${key}=${value}`).join(',');
}

function cellText(cell: unknown): string {
  if (cell === null || cell === undefined) return '';
  return (typeof cell === 'object' ? JSON.stringify(cell) : String(cell)).replaceAll('\n', '\\n');
}
