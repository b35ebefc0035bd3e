import { rfc3339 } from '@wherry/daemon';

/** Seconds since 1970 and nanoseconds of that second. */
export interface Instant {
  readonly seconds: number;
  readonly nanos: number;
}

const SECONDS_PER_DAY = 86_400;

let lastText = '';
let lastInstant: Instant = { seconds: 0, nanos: 0 };

/** Reads an RFC 3339 time; undefined if it is none. An object says the same few times again and again. */
export function instantOf(text: string): Instant | undefined {
  if (text === lastText) {
    return lastInstant;
  }
  const found = text.length === 20 && text.charCodeAt(19) === 0x5a ? canonicalSeconds(text) : parsed(text);
  if (found !== undefined) {
    lastText = text;
    lastInstant = found;
  }
  return found;
}

/** `2006-01-02T15:04:05Z` by arithmetic; Date.parse takes ten times as long. */
function canonicalSeconds(text: string): Instant | undefined {
  const pair = (at: number): number => (text.charCodeAt(at) - 48) * 10 + text.charCodeAt(at + 1) - 48;
  const year = pair(0) * 100 + pair(2);
  const month = pair(5);
  const seconds = daysBefore(year, month, pair(8)) * SECONDS_PER_DAY + pair(11) * 3600 + pair(14) * 60 + pair(17);
  return Number.isNaN(seconds) ? undefined : { seconds, nanos: 0 };
}

/** Days from 1970-01-01 in the Gregorian calendar; years begin in March here, so the leap day is a year's last. */
function daysBefore(year: number, month: number, day: number): number {
  const shifted = month > 2 ? year : year - 1;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

function parsed(text: string): Instant | undefined {
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) {
    return undefined;
  }
  const fraction = /[.,](\d{1,9})/.exec(text)?.[1] ?? '';
  return { seconds: Math.floor(ms / 1000), nanos: Number(fraction.padEnd(9, '0')) };
}

let lastSeconds = Number.NaN;
let lastSecondsText = '';

/** Whole seconds, as Go writes a Time; undefined for years that cannot be written. */
export function timeText(seconds: number): string | undefined {
  if (seconds !== lastSeconds) {
    if (!isYear(seconds)) {
      return undefined;
    }
    lastSecondsText = rfc3339(seconds * 1000);
    lastSeconds = seconds;
  }
  return lastSecondsText;
}

/** Six decimals, as Go writes a MicroTime. */
export function microTimeText(seconds: number, nanos: number): string | undefined {
  const whole = timeText(seconds + Math.floor(nanos / 1e9));
  const micros = Math.floor((((nanos % 1e9) + 1e9) % 1e9) / 1000);
  return whole === undefined ? undefined : `${whole.slice(0, 19)}.${String(micros).padStart(6, '0')}Z`;
}

/** Years 0 to 9999 can be written; Go refuses others in JSON. */
function isYear(seconds: number): boolean {
  return seconds >= -62_167_219_200 && seconds < 253_402_300_800;
}
