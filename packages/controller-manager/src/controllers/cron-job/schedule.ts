/** A cron schedule: the next time it fires after a given one. */
export interface Schedule {
  /** Strictly after `afterMs`; undefined when it never fires again (30 February). */
  next(afterMs: number): number | undefined;
}

export class ScheduleError extends Error {
  override readonly name = 'ScheduleError';
}

interface Field {
  readonly values: ReadonlySet<number>;
  /** Written as `*` or `?`: does not restrict. */
  readonly any: boolean;
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const MACROS: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** How far ahead to look for a match, as upstream's library. */
const YEARS_MAX = 5;

/**
 * Reads five cron fields, a macro such as `@daily`, or `@every 1h30m`.
 * @param timeZone IANA name; UTC without
 * @throws ScheduleError
 */
export function parseSchedule(text: string, timeZone = 'UTC'): Schedule {
  const offsetOf = zoneOffset(timeZone);
  const every = /^@every\s+(.+)$/.exec(text.trim());
  if (every !== null) {
    const periodMs = parsePeriodMs(every[1] ?? '');
    return { next: (afterMs) => Math.floor(afterMs / 1000) * 1000 + periodMs };
  }
  const fields = (MACROS[text.trim().toLowerCase()] ?? text).trim().split(/\s+/);
  if (fields.length !== 5)
    throw new ScheduleError(`expected exactly 5 fields, found ${fields.length}: [${fields.join(' ')}]`);
  const [minute = '', hour = '', day = '', month = '', weekday = ''] = fields;
  const cron = {
    minutes: parseField(minute, 0, 59),
    hours: parseField(hour, 0, 23),
    days: parseField(day, 1, 31),
    months: parseField(month, 1, 12, MONTHS),
    weekdays: parseField(weekday, 0, 6, DAYS),
  };
  return { next: (afterMs) => nextMatch(cron, afterMs, offsetOf) };
}

interface Cron {
  readonly minutes: Field;
  readonly hours: Field;
  readonly days: Field;
  readonly months: Field;
  readonly weekdays: Field;
}

function parseField(text: string, min: number, max: number, names: readonly string[] = []): Field {
  const values = new Set<number>();
  let any = false;
  for (const part of text.split(',')) {
    const [range = '', stepText, ...more] = part.split('/');
    const step = stepText === undefined ? 1 : Number(stepText);
    if (more.length > 0 || !Number.isInteger(step) || step < 1) throw new ScheduleError(`failed to parse "${part}"`);
    const whole = range === '*' || range === '?';
    const [low, high] = whole ? [min, max] : parseRange(range, min, max, names, stepText !== undefined);
    if (whole && step === 1) any = true;
    for (let value = low; value <= high; value += step) values.add(value);
  }
  return { values, any };
}

function parseRange(
  range: string,
  min: number,
  max: number,
  names: readonly string[],
  stepped: boolean,
): readonly [number, number] {
  const [lowText = '', highText, ...more] = range.split('-');
  const read = (text: string): number => {
    const named = names.indexOf(text.toLowerCase());
    if (named !== -1) return named + min;
    if (!/^\d+$/.test(text)) throw new ScheduleError(`failed to parse int from ${text}`);
    return Number(text);
  };
  const low = read(lowText);
  // `5/15` runs from 5 to the end.
  const high = highText === undefined ? (stepped ? max : low) : read(highText);
  if (more.length > 0) throw new ScheduleError(`too many hyphens: ${range}`);
  if (low < min) throw new ScheduleError(`beginning of range (${low}) below minimum (${min}): ${range}`);
  if (high > max) throw new ScheduleError(`end of range (${high}) above maximum (${max}): ${range}`);
  if (low > high) throw new ScheduleError(`beginning of range (${low}) beyond end of range (${high}): ${range}`);
  return [low, high];
}

function parsePeriodMs(text: string): number {
  const units: Readonly<Record<string, number>> = { h: HOUR_MS, m: MINUTE_MS, s: 1000 };
  const parts = [...text.matchAll(/(\d+)([hms])/g)];
  const periodMs = parts.reduce((sum, [, count, unit]) => sum + Number(count) * (units[unit ?? ''] ?? 0), 0);
  if (parts.map(([whole]) => whole).join('') !== text || periodMs < 1000) {
    throw new ScheduleError(`failed to parse duration @every ${text}`);
  }
  return periodMs;
}

/**
 * Searches in local wall time, written as if it were UTC. A wall time that a change of the clocks skips is left out;
 * one that comes twice counts at its first coming that lies ahead.
 */
function nextMatch(cron: Cron, afterMs: number, offsetOf: (ms: number) => number): number | undefined {
  let local = Math.floor((afterMs + offsetOf(afterMs)) / MINUTE_MS) * MINUTE_MS;
  // An hour back: after the clocks went back the same wall time may still lie ahead.
  local -= HOUR_MS;
  const limit = local + YEARS_MAX * 366 * DAY_MS;
  for (;;) {
    const match = nextLocal(cron, local, limit);
    if (match === undefined) return undefined;
    const instants = [offsetOf(match - DAY_MS), offsetOf(match + DAY_MS)]
      .map((offset) => match - offset)
      .filter((instant) => instant > afterMs && instant + offsetOf(instant) === match);
    if (instants.length > 0) return Math.min(...instants);
    local = match;
  }
}

function nextLocal(cron: Cron, afterLocal: number, limit: number): number | undefined {
  let at = afterLocal + MINUTE_MS;
  while (at <= limit) {
    const date = new Date(at);
    if (!cron.months.values.has(date.getUTCMonth() + 1)) {
      at = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1);
    } else if (!matchesDay(cron, date)) {
      at = Math.floor(at / DAY_MS) * DAY_MS + DAY_MS;
    } else if (!cron.hours.values.has(date.getUTCHours())) {
      at = Math.floor(at / HOUR_MS) * HOUR_MS + HOUR_MS;
    } else if (!cron.minutes.values.has(date.getUTCMinutes())) {
      at += MINUTE_MS;
    } else return at;
  }
  return undefined;
}

/** Day of month and day of week: either is enough when both are given. */
function matchesDay({ days, weekdays }: Cron, date: Date): boolean {
  const byDay = days.values.has(date.getUTCDate());
  const byWeekday = weekdays.values.has(date.getUTCDay());
  return days.any || weekdays.any ? byDay && byWeekday : byDay || byWeekday;
}

/** Milliseconds that local time is ahead of UTC. @throws ScheduleError for an unknown zone */
function zoneOffset(timeZone: string): (ms: number) => number {
  if (timeZone === 'UTC' || timeZone === 'Etc/UTC') return () => 0;
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  } catch (cause) {
    throw new ScheduleError(`unknown time zone ${timeZone}`, { cause });
  }
  return (ms) => {
    const parts = new Map(format.formatToParts(ms).map(({ type, value }) => [type, Number(value)]));
    const part = (type: Intl.DateTimeFormatPartTypes) => parts.get(type) ?? 0;
    const local = Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second'));
    return local - Math.floor(ms / 1000) * 1000;
  };
}
