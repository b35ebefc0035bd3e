import { alignTabs } from '../printers/tabs.ts';

/** Longest text of an annotation that stays on the line of its key. */
const ANNOTATION_MAX = 140;
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

type Words = Readonly<Record<string, string>> | undefined;

/** A description under construction: lines of tab-separated cells, aligned all together at the end as kubectl does. */
export class Outline {
  readonly #lines: string[];
  readonly #indent: string;

  constructor(lines: string[] = [], indent = '') {
    this.#lines = lines;
    this.#indent = indent;
  }

  /** Cells as they are. */
  row(...cells: readonly (string | number)[]): this {
    this.#lines.push(this.#indent + cells.join('\t'));
    return this;
  }

  /** Leaves the line out when the value is undefined. */
  field(label: string, value: string | number | boolean | undefined): this {
    if (value !== undefined) this.#lines.push(`${this.#indent}${label}:\t${value}`);
    return this;
  }

  /** The first on the label's line, each further one below it. */
  list(label: string, values: readonly string[], none = '<none>'): this {
    const [first = none, ...more] = values;
    this.#lines.push(`${this.#indent}${label}:\t${first}`, ...more.map((value) => `${this.#indent}\t${value}`));
    return this;
  }

  labels(label: string, labels: Words): this {
    return this.list(
      label,
      sorted(labels).map(([key, value]) => `${key}=${value}`),
    );
  }

  annotations(label: string, annotations: Words): this {
    const shown = sorted(annotations).filter(([key]) => key !== LAST_APPLIED);
    const values = shown.flatMap(([key, value]) => {
      const text = value.replace(/\n$/, '');
      if (key.length + text.length + 2 <= ANNOTATION_MAX && !text.includes('\n')) return [`${key}: ${text}`];
      return [`${key}:`, ...text.split('\n').map((line) => `  ${shorten(line, ANNOTATION_MAX - 2)}`)];
    });
    return this.list(label, values);
  }

  /** A label of its own line, and what is indented below it. */
  block(label: string, fill: (inner: Outline) => void, indent = '  '): this {
    this.#lines.push(`${this.#indent}${label}:`);
    fill(this.inner(indent));
    return this;
  }

  /** Writes on into this outline, indented. */
  inner(indent = '  '): Outline {
    return new Outline(this.#lines, this.#indent + indent);
  }

  /** A table below its label; `<none>` beside it when there are no rows. */
  table(label: string, heading: readonly string[], rows: readonly (readonly (string | number)[])[]): this {
    if (rows.length === 0) return this.field(label, '<none>');
    return this.block(label, (inner) => void inner.rows(heading, rows));
  }

  /** A table without a label. */
  rows(heading: readonly string[], rows: readonly (readonly (string | number)[])[]): this {
    this.row(...heading).row(...heading.map((word) => '-'.repeat(word.length)));
    for (const row of rows) this.row(...row);
    return this;
  }

  text(): string {
    return this.#lines.length === 0 ? '' : `${alignTabs(this.#lines.join('\n'), { minWidth: 0, padding: 2 })}\n`;
  }
}

function sorted(words: Words): readonly (readonly [string, string])[] {
  return Object.entries(words ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
}

function shorten(text: string, lengthMax: number): string {
  return text.length > lengthMax ? `${text.slice(0, lengthMax)}...` : text;
}
