import type { Secret } from '@wherry/api';
import { timeMs } from '../../pods/readiness.ts';

export const TOKEN_TYPE = 'bootstrap.kubernetes.io/token';
const SECRET_PREFIX = 'bootstrap-token-';
/** Key of the text that is signed, and the prefix of the keys of its signatures. */
const CONTENT_KEY = 'kubeconfig';
const SIGNATURE_PREFIX = 'jws-kubeconfig-';

/** Reads base64; injected, because plans know no Node. */
export type Decode = (base64: string) => string;

/** Milliseconds until a bootstrap token expires, 0 when it has; undefined when it never does or is no token. */
export function expiresInMs(secret: Secret, decode: Decode, nowMs: number): number | undefined {
  const encoded = secret.data?.['expiration'];
  if (secret.type !== TOKEN_TYPE || encoded === undefined) return undefined;
  // A time that cannot be read counts as past: the token may not live on by a slip of the pen.
  const expires = timeMs(decode(encoded)) ?? nowMs;
  return Math.max(0, expires - nowMs);
}

/** Makes a detached signature of `content` with a token. */
export type Sign = (content: string, tokenId: string, tokenSecret: string) => string;

export interface SigningPlan {
  /** The config map's data as it should be, with one signature for each token that may sign; undefined: as it is. */
  readonly data: Readonly<Record<string, string>> | undefined;
  /** Until the first token that signs now expires. */
  readonly againInMs: number | undefined;
}

/** What hosts that join compare with the token they were given: a signature of the cluster's description by each token. */
export function planSignatures(
  data: Readonly<Record<string, string>>,
  secrets: readonly Secret[],
  tools: { readonly decode: Decode; readonly sign: Sign },
  nowMs: number,
): SigningPlan {
  const content = data[CONTENT_KEY];
  if (content === undefined) return { data: undefined, againInMs: undefined };
  const next: Record<string, string> = {};
  for (const [key, value] of Object.entries(data)) if (!key.startsWith(SIGNATURE_PREFIX)) next[key] = value;
  let againInMs: number | undefined;
  for (const secret of secrets) {
    const leftMs = expiresInMs(secret, tools.decode, nowMs);
    const token = leftMs === 0 ? undefined : signingToken(secret, tools.decode);
    if (token === undefined) continue;
    next[`${SIGNATURE_PREFIX}${token.id}`] = tools.sign(content, token.id, token.secret);
    if (leftMs !== undefined) againInMs = Math.min(leftMs, againInMs ?? leftMs);
  }
  const keys = Object.keys(next);
  const same = keys.length === Object.keys(data).length && keys.every((key) => next[key] === data[key]);
  return { data: same ? undefined : next, againInMs };
}

function signingToken(secret: Secret, decode: Decode): { readonly id: string; readonly secret: string } | undefined {
  const { name = '', deletionTimestamp } = secret.metadata ?? {};
  if (secret.type !== TOKEN_TYPE || deletionTimestamp !== undefined) return undefined;
  const field = (key: string): string => decode(secret.data?.[key] ?? '');
  const [id, text] = [field('token-id'), field('token-secret')];
  if (id === '' || text === '' || name !== `${SECRET_PREFIX}${id}`) return undefined;
  return field('usage-bootstrap-signing') === 'true' ? { id, secret: text } : undefined;
}
