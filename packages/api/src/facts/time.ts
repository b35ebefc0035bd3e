// RFC 3339 times as Go reads and writes them.

export class TimeFormatError extends Error {
  override readonly name = 'TimeFormatError';
}

const layout = '2006-01-02T15:04:05Z07:00';
const canonicalSeconds = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/;

/** Pattern and Go's name of each part of a time. */
const parts: readonly (readonly [RegExp, string])[] = [
  [/^\d{4}/, '2006'],
  [/^-/, '-'],
  [/^\d{2}/, '01'],
  [/^-/, '-'],
  [/^\d{2}/, '02'],
  [/^T/, 'T'],
  [/^\d{1,2}/, '15'],
  [/^:/, ':'],
  [/^\d{2}/, '04'],
  [/^:/, ':'],
  [/^\d{2}(?:[.,]\d+)?/, '05'],
  [/^(?:Z|[+-]\d{2}:\d{2})/, 'Z07:00'],
];

/**
 * The time in UTC, with whole seconds (`time`) or six decimals (`microTime`).
 * @throws TimeFormatError with Go's text
 */
export function canonicalTime(text: string, type: 'time' | 'microTime'): string {
  if (type === 'time' && canonicalSeconds.test(text) && isExactly(text)) return text;
  let rest = text;
  for (const [pattern, name] of parts) {
    const found = pattern.exec(rest)?.[0];
    if (found === undefined) throw refused(text, `cannot parse "${rest}" as "${name}"`);
    rest = rest.slice(found.length);
  }
  if (rest !== '') throw new TimeFormatError(`parsing time "${text}": extra text: "${rest}"`);
  const ms = Date.parse(text.replace(',', '.').replace(/T(\d):/, 'T0$1:'));
  const problem = outOfRange(text);
  if (!Number.isFinite(ms) || problem !== undefined) {
    throw new TimeFormatError(`parsing time "${text}": ${problem ?? 'day'} out of range`);
  }
  const seconds = new Date(ms).toISOString().slice(0, 19);
  if (type === 'time') return `${seconds}Z`;
  const fraction = /[.,](\d+)/.exec(text)?.[1] ?? '';
  return `${seconds}.${fraction.slice(0, 6).padEnd(6, '0')}Z`;
}

function refused(text: string, why: string): TimeFormatError {
  return new TimeFormatError(`parsing time "${text}" as "${layout}": ${why}`);
}

/** JavaScript takes February 31 for March 2, and 24:00 for the next day; Go refuses both. */
function isExactly(text: string): boolean {
  const ms = Date.parse(text);
  return Number.isFinite(ms) && new Date(ms).toISOString().startsWith(text.slice(0, -1));
}

function outOfRange(text: string): string | undefined {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = (text.match(/\d+/g) ?? []).map(Number);
  if (month < 1 || month > 12) return 'month';
  if (day < 1 || day > new Date(Date.UTC(year, month, 0)).getUTCDate()) return 'day';
  if (hour > 23) return 'hour';
  if (minute > 59) return 'minute';
  return second > 59 ? 'second' : undefined;
}
