import { expect, test } from 'vitest';
import { humanDuration, since } from './human-duration.ts';

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;
const year = 365 * day;

test.each([
  [-3 * second, '<invalid>'],
  [-1 * second, '0s'],
  [0, '0s'],
  [119 * second, '119s'],
  [2 * minute, '2m'],
  [3 * minute + 10 * second, '3m10s'],
  [10 * minute, '10m'],
  [179 * minute, '179m'],
  [3 * hour, '3h'],
  [3 * hour + 10 * minute, '3h10m'],
  [8 * hour + 20 * minute, '8h'],
  [47 * hour, '47h'],
  [2 * day, '2d'],
  [2 * day + 5 * hour, '2d5h'],
  [8 * day + 5 * hour, '8d'],
  [729 * day, '729d'],
  [2 * year, '2y'],
  [2 * year + 30 * day, '2y30d'],
  [9 * year + 30 * day, '9y'],
])('%d ms is %s', (durationMs, expected) => {
  expect(humanDuration(durationMs)).toBe(expected);
});

test('ages', () => {
  expect(since(undefined, 0)).toBe('<unknown>');
  expect(since('2026-01-02T03:04:05Z', Date.parse('2026-01-02T03:04:50Z'))).toBe('45s');
});
