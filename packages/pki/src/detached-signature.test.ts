import { CompactSign } from 'jose';
import { expect, it } from 'vitest';
import { detachedSignature, isDetachedSignature } from './detached-signature.ts';

const content = 'apiVersion: v1\nkind: Config\n';

/** As a JOSE library makes it, with its middle part taken out. */
async function reference(secret: string): Promise<string> {
  const key = new Uint8Array(32);
  key.set(Buffer.from(secret));
  const jws = new CompactSign(Buffer.from(content)).setProtectedHeader({ alg: 'HS256', kid: 'abcdef' });
  return (await jws.sign(key)).replace(/\..*\./, '..');
}

it('signs as a JOSE library does with the secret padded to 32 bytes', async () => {
  expect(detachedSignature(content, 'abcdef', '0123456789abcdef')).toBe(await reference('0123456789abcdef'));
});

it('tells other contents, tokens and signatures apart', () => {
  const signature = detachedSignature(content, 'abcdef', '0123456789abcdef');
  expect(isDetachedSignature(signature, content, 'abcdef', '0123456789abcdef')).toBe(true);
  expect(isDetachedSignature(signature, `${content} `, 'abcdef', '0123456789abcdef')).toBe(false);
  expect(isDetachedSignature(signature, content, 'abcdeg', '0123456789abcdef')).toBe(false);
  expect(isDetachedSignature(signature, content, 'abcdef', '0123456789abcdeg')).toBe(false);
  expect(isDetachedSignature(`${signature}x`, content, 'abcdef', '0123456789abcdef')).toBe(false);
});
