import type { Secret } from '@wherry/api';
import { timeMs } from '../../pods/readiness.ts';

export const TOKEN_TYPE = 'bootstrap.kubernetes.io/token';

/** Milliseconds until a bootstrap token expires, 0 when it has; undefined when it never does or is no token. */
export function expiresInMs(secret: Secret, decode: (base64: string) => string, nowMs: number): number | undefined {
  const encoded = secret.data?.['expiration'];
  if (secret.type !== TOKEN_TYPE || encoded === undefined) return undefined;
  // A time that cannot be read counts as past: the token may not live on by a slip of the pen.
  const expires = timeMs(decode(encoded)) ?? nowMs;
  return Math.max(0, expires - nowMs);
}
