/** Repeats of one measurement on one side. */
export type Series = readonly number[];

export interface Row {
  readonly number: string;
  readonly what: string;
  readonly unit: string;
  readonly ours: Series;
  readonly peer?: { readonly name: string; readonly series: Series };
  /** What the scoreboard asks for, in its words. */
  readonly goal: string;
}

export function median(values: Series): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

const show = (values: Series, unit: string): string => {
  const text = (value: number): string => (Math.abs(value) < 10 ? value.toFixed(2) : value.toFixed(0));
  return `${text(median(values))} ${unit} (${text(Math.min(...values))}–${text(Math.max(...values))})`;
};

/** Medians with least and greatest, the peer's beside ours, and ours as a part of the peer's. */
export function printRows(rows: readonly Row[]): void {
  const cells = rows.map(({ number, what, unit, ours, peer, goal }) => [
    number,
    what,
    show(ours, unit),
    peer === undefined ? '' : `${peer.name} ${show(peer.series, unit)}`,
    peer === undefined || median(peer.series) === 0 ? '' : (median(ours) / median(peer.series)).toFixed(2),
    goal,
  ]);
  const table = [['row', 'what', 'wherry', 'peer', 'ratio', 'goal'], ...cells];
  const widths = table[0]?.map((_, column) => Math.max(...table.map((line) => line[column]?.length ?? 0))) ?? [];
  for (const line of table)
    process.stdout.write(`${line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}\n`);
}

/** Runs both sides in turns, so that what else the machine does meets both. */
export async function inTurns(
  repeats: number,
  what: string,
  ours: () => Promise<number>,
  theirs?: () => Promise<number>,
): Promise<{ readonly ours: Series; readonly theirs: Series }> {
  const series: { ours: number[]; theirs: number[] } = { ours: [], theirs: [] };
  for (let repeat = 0; repeat < repeats; repeat++) {
    series.ours.push(await ours());
    if (theirs !== undefined) series.theirs.push(await theirs());
    const last = [series.ours.at(-1), series.theirs.at(-1)].map((value) => value?.toFixed(1) ?? '').join(' ');
    process.stderr.write(`  ${what} ${repeat + 1}/${repeats}: ${last}\n`);
  }
  return series;
}
