import { alignColumns } from '../printers/columns.ts';

/** A description under construction: `Name:  value` lines, aligned, with indented blocks. */
export class Outline {
  readonly #lines: { readonly depth: number; readonly label: string; readonly value: string | undefined }[] = [];
  readonly #depth: number;

  constructor(depth = 0) {
    this.#depth = depth;
  }

  /** Leaves the line out when the value is undefined. */
  field(label: string, value: string | number | boolean | undefined): this {
    if (value !== undefined) this.#lines.push({ depth: this.#depth, label: `${label}:`, value: String(value) });
    return this;
  }

  /** The first on the label's line, each further one below it. */
  list(label: string, values: readonly string[], none = '<none>'): this {
    const [first = none, ...more] = values;
    this.#lines.push({ depth: this.#depth, label: `${label}:`, value: first });
    for (const value of more) this.#lines.push({ depth: this.#depth, label: '', value });
    return this;
  }

  map(label: string, map: Readonly<Record<string, string>> | undefined, separator = '='): this {
    const values = Object.entries(map ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
    return this.list(
      label,
      values.map(([key, value]) => `${key}${separator}${value.split('\n')[0]}`),
    );
  }

  block(label: string, fill: (outline: Outline) => void): this {
    this.#lines.push({ depth: this.#depth, label: `${label}:`, value: undefined });
    const inner = new Outline(this.#depth + 1);
    fill(inner);
    this.#lines.push(...inner.#lines);
    return this;
  }

  table(label: string, heading: readonly string[], rows: readonly (readonly string[])[]): this {
    if (rows.length === 0) return this.field(label, '<none>');
    this.#lines.push({ depth: this.#depth, label: `${label}:`, value: undefined });
    const rule = heading.map((word) => '-'.repeat(word.length));
    for (const line of alignColumns([heading, rule, ...rows])) {
      this.#lines.push({ depth: this.#depth + 1, label: line, value: undefined });
    }
    return this;
  }

  /** Values are aligned among the lines of one depth that follow each other, as kubectl does. */
  text(): string {
    let text = '';
    for (let start = 0; start < this.#lines.length; ) {
      const depth = this.#lines[start]?.depth;
      let end = start;
      while (end < this.#lines.length && this.#lines[end]?.depth === depth) end++;
      const run = this.#lines.slice(start, end);
      const width = Math.max(0, ...run.filter(({ value }) => value !== undefined).map(({ label }) => label.length)) + 2;
      for (const { label, value } of run) {
        text += `${`${'  '.repeat(depth ?? 0)}${value === undefined ? label : label.padEnd(width) + value}`.trimEnd()}\n`;
      }
      start = end;
    }
    return text;
  }
}
