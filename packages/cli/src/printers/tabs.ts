export interface TabOptions {
  /** Least width of a column, its padding included. */
  readonly minWidth: number;
  /** Blanks after the widest cell of a column. */
  readonly padding: number;
}

/**
 * Elastic tab stops, as Go's text/tabwriter aligns what kubectl prints: a cell ends with a tab, and a column is as wide
 * as the widest cell of those lines that follow each other and have the column. What follows a line's last tab is no cell.
 */
export function alignTabs(text: string, { minWidth, padding }: TabOptions): string {
  const lines = text.split('\n').map((line) => line.split('\t'));
  const widths = lines.map((cells) => new Array<number>(cells.length - 1).fill(0));
  const columnsMax = Math.max(...lines.map((cells) => cells.length - 1));
  for (let column = 0; column < columnsMax; column++) {
    for (let start = 0; start < lines.length; ) {
      if (!hasCell(lines[start], column)) {
        start++;
        continue;
      }
      let end = start;
      let width = minWidth;
      for (; hasCell(lines[end], column); end++) {
        width = Math.max(width, textWidth(lines[end]?.[column] ?? '') + padding);
      }
      for (let line = start; line < end; line++) {
        const row = widths[line];
        if (row !== undefined) row[column] = width;
      }
      start = end;
    }
  }
  return lines
    .map((cells, line) =>
      cells
        .map((cell, column) => cell + ' '.repeat(Math.max(0, (widths[line]?.[column] ?? 0) - textWidth(cell))))
        .join(''),
    )
    .join('\n');
}

function hasCell(cells: readonly string[] | undefined, column: number): boolean {
  return cells !== undefined && column < cells.length - 1;
}

/** In code points, as Go counts. */
function textWidth(text: string): number {
  // Almost everything is plain ASCII, where the length says it.
  return /^[\x20-\x7e]*$/.test(text) ? text.length : [...text].length;
}
