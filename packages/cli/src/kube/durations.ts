import { parseDuration } from '@wherry/daemon';
import { VerbError } from './verb-error.ts';

/** A duration flag such as `90s` or `1h30m`; a bare number is seconds. @returns milliseconds */
export function durationMs(flag: string, text: string): number {
  const ms = /^-?\d+$/.test(text) ? Number(text) * 1000 : parseDuration(text);
  if (ms === undefined)
    throw new VerbError(`invalid argument "${text}" for "${flag}": must be a duration such as 30s, 5m or 1h`);
  return ms;
}
