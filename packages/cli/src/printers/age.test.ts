import { expect, it } from 'vitest';
import { ageText } from './age.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

it.each([
  [0, '0s'],
  [119 * SECOND, '119s'],
  [2 * MINUTE, '2m'],
  [3 * MINUTE + 20 * SECOND, '3m20s'],
  [10 * MINUTE + 5 * SECOND, '10m'],
  [179 * MINUTE, '179m'],
  [3 * HOUR, '3h'],
  [7 * HOUR + 5 * MINUTE, '7h5m'],
  [47 * HOUR, '47h'],
  [2 * DAY + 3 * HOUR, '2d3h'],
  [8 * DAY + 3 * HOUR, '8d'],
  [729 * DAY, '729d'],
  [3 * 365 * DAY + 4 * DAY, '3y4d'],
  [9 * 365 * DAY + 4 * DAY, '9y'],
  [-1 * SECOND, '0s'],
  [-5 * SECOND, '<invalid>'],
  [Number.NaN, '<unknown>'],
])('%i ms is %s', (ms, text) => expect(ageText(ms)).toBe(text));
