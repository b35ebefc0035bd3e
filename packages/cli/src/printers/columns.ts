/** As kubectl's tables: three blanks between columns, and none narrower than this with them. */
const COLUMN_MIN = 6;
const PADDING = 3;

/** Rows under headings, aligned as kubectl aligns them: nothing is added to a row's last cell. */
export function alignColumns(rows: readonly (readonly string[])[]): readonly string[] {
  return new ColumnAligner().align(rows);
}

/** Aligns rows that come one after the other, as in a watch: columns keep the width they once had. */
export class ColumnAligner {
  readonly #widths: number[] = [];

  align(rows: readonly (readonly string[])[]): readonly string[] {
    for (const row of rows) {
      row.forEach((cell, index) => {
        if (index === row.length - 1) return;
        this.#widths[index] = Math.max(this.#widths[index] ?? COLUMN_MIN, cell.length + PADDING);
      });
    }
    return rows.map((row) =>
      row.map((cell, index) => (index === row.length - 1 ? cell : cell.padEnd(this.#widths[index] ?? 0))).join(''),
    );
  }
}
