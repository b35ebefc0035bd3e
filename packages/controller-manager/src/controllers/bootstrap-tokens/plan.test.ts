import type { Secret } from '@wherry/api';
import { describe, expect, it } from 'vitest';
import { expiresInMs, planSignatures, TOKEN_TYPE } from './plan.ts';

const NOW_MS = Date.parse('2025-01-01T00:00:00Z');

it.each([
  ['later', TOKEN_TYPE, '2025-01-01T00:01:00Z', 60_000],
  ['now', TOKEN_TYPE, '2024-12-31T00:00:00Z', 0],
  ['unreadable', TOKEN_TYPE, 'soon', 0],
  ['never', TOKEN_TYPE, undefined, undefined],
  ['another kind of secret', 'Opaque', '2024-12-31T00:00:00Z', undefined],
])('%s', (_, type, expiration, expected) => {
  const secret = { type, data: expiration === undefined ? {} : { expiration } };
  expect(expiresInMs(secret, (text) => text, NOW_MS)).toBe(expected);
});

describe('planSignatures', () => {
  const tools = {
    decode: (text: string) => text,
    sign: (content: string, id: string, secret: string) => `${content}/${id}/${secret}`,
  };
  const token = (id: string, data: Readonly<Record<string, string>> = {}, more: Partial<Secret> = {}): Secret => ({
    metadata: { name: `bootstrap-token-${id}` },
    type: TOKEN_TYPE,
    data: { 'token-id': id, 'token-secret': `s${id}`, 'usage-bootstrap-signing': 'true', ...data },
    ...more,
  });
  const plan = (data: Record<string, string>, secrets: readonly Secret[]) =>
    planSignatures(data, secrets, tools, NOW_MS);

  it('signs with each token that may, and drops what others signed', () => {
    const secrets = [token('a'), token('b', { expiration: '2025-01-01T00:01:00Z' })];
    expect(plan({ kubeconfig: 'k', other: 'o', 'jws-kubeconfig-gone': 'x' }, secrets)).toEqual({
      data: { kubeconfig: 'k', other: 'o', 'jws-kubeconfig-a': 'k/a/sa', 'jws-kubeconfig-b': 'k/b/sb' },
      againInMs: 60_000,
    });
  });

  it('changes nothing that is right', () => {
    expect(plan({ kubeconfig: 'k', 'jws-kubeconfig-a': 'k/a/sa' }, [token('a')]).data).toBeUndefined();
  });

  it('signs anew what has changed', () => {
    expect(plan({ kubeconfig: 'new', 'jws-kubeconfig-a': 'k/a/sa' }, [token('a')]).data).toEqual({
      kubeconfig: 'new',
      'jws-kubeconfig-a': 'new/a/sa',
    });
  });

  it('does nothing where there is nothing to sign', () => {
    expect(plan({}, [token('a')])).toEqual({ data: undefined, againInMs: undefined });
  });

  it.each([
    ['expired', token('a', { expiration: '2024-01-01T00:00:00Z' })],
    ['for authentication only', token('a', { 'usage-bootstrap-signing': 'false' })],
    ['named otherwise', token('a', {}, { metadata: { name: 'bootstrap-token-b' } })],
    ['going', token('a', {}, { metadata: { name: 'bootstrap-token-a', deletionTimestamp: 'x' } })],
    ['no token', token('a', {}, { type: 'Opaque' })],
    ['without a secret', token('a', { 'token-secret': '' })],
  ])('leaves out a token that is %s', (_, secret) => {
    expect(plan({ kubeconfig: 'k', 'jws-kubeconfig-a': 'k/a/sa' }, [secret]).data).toEqual({ kubeconfig: 'k' });
  });
});
