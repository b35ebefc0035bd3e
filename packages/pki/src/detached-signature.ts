import { createHmac, timingSafeEqual } from 'node:crypto';

/** HMAC keys are padded with zeros to this length, as upstream's signer does. */
const KEY_BYTES_MIN = 32;

/**
 * Signs `content` with a bootstrap token: a compact JWS (HS256) whose middle part, the content, is left out (RFC 7515,
 * appendix F). Deterministic, so checking means signing again.
 */
export function detachedSignature(content: string, tokenId: string, tokenSecret: string): string {
  const encode = (text: string): string => Buffer.from(text).toString('base64url');
  const header = encode(JSON.stringify({ alg: 'HS256', kid: tokenId }));
  const secret = Buffer.from(tokenSecret);
  const key = Buffer.alloc(Math.max(KEY_BYTES_MIN, secret.length));
  secret.copy(key);
  const mac = createHmac('sha256', key)
    .update(`${header}.${encode(content)}`)
    .digest('base64url');
  return `${header}..${mac}`;
}

/** Whether `signature` was made of this content by whoever knows the token. */
export function isDetachedSignature(signature: string, content: string, tokenId: string, tokenSecret: string): boolean {
  const [given, expected] = [signature, detachedSignature(content, tokenId, tokenSecret)].map((text) =>
    Buffer.from(text),
  );
  return given?.length === expected?.length && timingSafeEqual(given ?? Buffer.of(), expected ?? Buffer.of());
}
