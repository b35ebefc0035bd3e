import { seededRandom } from '@wherry/daemon';
import { describe, expect, it } from 'vitest';
import {
  type BootstrapToken,
  checkToken,
  NODE_GROUP,
  newToken,
  parseToken,
  secretOf,
  tokenId,
  tokenOf,
  tokenText,
} from './bootstrap-token.ts';
import { tokenTable } from './token-table.ts';

const token: BootstrapToken = {
  id: 'abcdef',
  secret: '0123456789abcdef',
  expiresAtMs: Date.parse('2025-01-02T00:00:00Z'),
  usages: ['signing', 'authentication'],
  groups: [NODE_GROUP],
  description: '',
};

describe('a bootstrap token', () => {
  it('is six characters, a dot and sixteen', () => {
    expect(parseToken('abcdef.0123456789abcdef')).toEqual({ id: 'abcdef', secret: '0123456789abcdef' });
    for (const wrong of [
      '',
      'abcdef',
      'abcdef.0123456789abcde',
      'Abcdef.0123456789abcdef',
      'abcdef.0123456789abcdef ',
    ]) {
      expect(() => parseToken(wrong)).toThrow('was not of the form');
    }
  });

  it('is made at random, of all characters', () => {
    const random = seededRandom(3);
    const made = Array.from({ length: 100 }, () => newToken(random));
    expect(new Set(made.map(tokenText)).size).toBe(100);
    for (const one of made) expect(parseToken(tokenText(one))).toEqual(one);
    expect(new Set(made.flatMap((one) => [...one.secret])).size).toBe(36);
  });

  it('is deleted by its id or by itself', () => {
    expect([tokenId('abcdef'), tokenId('abcdef.0123456789abcdef')]).toEqual(['abcdef', 'abcdef']);
    expect(() => tokenId('abc')).toThrow('given token "abc" didn\'t match pattern');
  });

  it('is a Secret as kubeadm makes it, and read back from it', () => {
    const secret = secretOf(token);
    expect(secret).toMatchObject({
      metadata: { name: 'bootstrap-token-abcdef', namespace: 'kube-system' },
      type: 'bootstrap.kubernetes.io/token',
    });
    const decoded = Object.entries(secret.data ?? {}).map(([key, value]) => [
      key,
      Buffer.from(value, 'base64').toString(),
    ]);
    expect(Object.fromEntries(decoded)).toEqual({
      'token-id': 'abcdef',
      'token-secret': '0123456789abcdef',
      expiration: '2025-01-02T00:00:00Z',
      'usage-bootstrap-signing': 'true',
      'usage-bootstrap-authentication': 'true',
      'auth-extra-groups': NODE_GROUP,
    });
    expect(tokenOf(secret)).toEqual({ ...token, usages: ['authentication', 'signing'] });
    expect(() => tokenOf({ ...secret, metadata: { name: 'other' } })).toThrow(
      'bootstrap token name is not of the form',
    );
  });

  it.each([
    ['a usage that there is not', { usages: ['reading'] }],
    ['no usage', { usages: [] }],
    ['the rights of an administrator', { groups: ['system:masters'] }],
  ])('cannot have %s', (_, change) => {
    expect(() => checkToken({ ...token, ...change })).toThrow('invalid');
  });

  it('is listed as kubeadm does', () => {
    const nowMs = Date.parse('2025-01-01T01:30:00Z');
    const eternal = { ...token, id: 'zzzzzz', expiresAtMs: undefined, usages: [], groups: [], description: 'for ever' };
    expect(tokenTable([{ ...token, usages: ['authentication', 'signing'] }, eternal], nowMs).split('\n')).toEqual([
      'TOKEN                     TTL         EXPIRES                USAGES                   DESCRIPTION   EXTRA GROUPS',
      'abcdef.0123456789abcdef   22h         2025-01-02T00:00:00Z   authentication,signing   <none>        system:bootstrappers:kubeadm:default-node-token',
      'zzzzzz.0123456789abcdef   <forever>   <never>                <none>                   for ever      <none>',
    ]);
  });

  it.each([
    [-5_000, '<invalid>'],
    [-500, '0s'],
    [59_000, '59s'],
    [3_599_000, '59m'],
    [86_400_000, '1d'],
    [400 * 86_400_000, '1y'],
  ])('that ends in %i ms', (leftMs, expected) => {
    const row = tokenTable([{ ...token, expiresAtMs: 1e12 + leftMs }], 1e12).split('\n')[1];
    expect(row?.split(/\s+/)[1]).toBe(expected);
  });
});
