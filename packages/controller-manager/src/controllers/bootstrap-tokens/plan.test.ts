import { expect, it } from 'vitest';
import { expiresInMs, TOKEN_TYPE } from './plan.ts';

it.each([
  ['later', TOKEN_TYPE, '2025-01-01T00:01:00Z', 60_000],
  ['now', TOKEN_TYPE, '2024-12-31T00:00:00Z', 0],
  ['unreadable', TOKEN_TYPE, 'soon', 0],
  ['never', TOKEN_TYPE, undefined, undefined],
  ['another kind of secret', 'Opaque', '2024-12-31T00:00:00Z', undefined],
])('%s', (_, type, expiration, expected) => {
  const secret = { type, data: expiration === undefined ? {} : { expiration } };
  expect(expiresInMs(secret, (text) => text, Date.parse('2025-01-01T00:00:00Z'))).toBe(expected);
});
