import type { Secret } from '@wherry/api';
import { type Random, rfc3339 } from '@wherry/daemon';
import { VerbError } from '../kube/verb-error.ts';

export const TOKEN_NAMESPACE = 'kube-system';
export const TOKEN_TYPE = 'bootstrap.kubernetes.io/token';
/** kubeadm's: what its bindings let ask for certificates. */
export const NODE_GROUP = 'system:bootstrappers:kubeadm:default-node-token';

const PREFIX = 'bootstrap-token-';
const ALPHABET = '0123456789abcdefghijklmnopqrstuvwxyz';
const ID_CHARACTERS = 6;
const SECRET_CHARACTERS = 16;
const form = /^([a-z0-9]{6})\.([a-z0-9]{16})$/;
const idForm = /^[a-z0-9]{6}$/;
const groupForm = /^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$/;
const usages: readonly string[] = ['signing', 'authentication'];
const usagePrefix = 'usage-bootstrap-';

export interface TokenText {
  /** Public. */
  readonly id: string;
  readonly secret: string;
}

/** A bootstrap token with everything that the cluster knows of it. */
export interface BootstrapToken extends TokenText {
  /** Milliseconds since the epoch; undefined: it never ends. */
  readonly expiresAtMs: number | undefined;
  readonly usages: readonly string[];
  readonly groups: readonly string[];
  readonly description: string;
}

/** @throws VerbError in kubeadm's words */
export function parseToken(text: string): TokenText {
  const [, id, secret] = form.exec(text) ?? [];
  if (id === undefined || secret === undefined)
    throw new VerbError(
      `the bootstrap token "${text}" was not of the form "\\\\A([a-z0-9]{6})\\\\.([a-z0-9]{16})\\\\z"`,
    );
  return { id, secret };
}

/** The id of a token that is given whole, or by its id. */
export function tokenId(text: string): string {
  if (idForm.test(text)) return text;
  const id = form.exec(text)?.[1];
  if (id === undefined) {
    throw new VerbError(`given token "${text}" didn't match pattern "\\\\A[a-z0-9]{6}\\\\z" or "${form.source}"`);
  }
  return id;
}

export function newToken(random: Random): TokenText {
  const characters = (count: number): string =>
    Array.from({ length: count }, () => ALPHABET[uniform(random)] ?? '').join('');
  return { id: characters(ID_CHARACTERS), secret: characters(SECRET_CHARACTERS) };
}

/** From unpredictable bytes; those that would favour some characters are thrown away. */
function uniform(random: Random): number {
  const limit = 256 - (256 % ALPHABET.length);
  for (;;) {
    const byte = random.bytes(1)[0] ?? limit;
    if (byte < limit) return byte % ALPHABET.length;
  }
}

export const tokenText = ({ id, secret }: TokenText): string => `${id}.${secret}`;
export const secretName = (id: string): string => `${PREFIX}${id}`;

/** @throws VerbError for a usage or group that a token cannot have */
export function checkToken(token: BootstrapToken): void {
  const unknown = token.usages.find((usage) => !usages.includes(usage));
  if (unknown !== undefined || token.usages.length === 0)
    throw new VerbError(
      `invalid bootstrap token usage string: ${unknown ?? ''}, valid usage options: ${usages.join(', ')}`,
    );
  const wrong = token.groups.find((group) => !groupForm.test(group));
  if (wrong !== undefined)
    throw new VerbError(`bootstrap group "${wrong}" is invalid (must match ${groupForm.source})`);
}

export function secretOf(token: BootstrapToken): Secret {
  const { id, secret, expiresAtMs, description, groups } = token;
  const data: Record<string, string> = { 'token-id': id, 'token-secret': secret };
  if (description !== '') data['description'] = description;
  if (expiresAtMs !== undefined) data['expiration'] = rfc3339(expiresAtMs);
  for (const usage of token.usages) data[`${usagePrefix}${usage}`] = 'true';
  if (groups.length > 0) data['auth-extra-groups'] = groups.join(',');
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: secretName(id), namespace: TOKEN_NAMESPACE },
    type: TOKEN_TYPE,
    data: Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')])),
  };
}

/** @throws VerbError for a Secret that is no token */
export function tokenOf(secret: Secret): BootstrapToken {
  const field = (key: string): string => Buffer.from(secret.data?.[key] ?? '', 'base64').toString('utf8');
  const { name = '' } = secret.metadata ?? {};
  const id = field('token-id');
  if (name !== secretName(id))
    throw new VerbError(`bootstrap token name is not of the form "${PREFIX}${id}": "${name}"`);
  const expiration = field('expiration');
  return {
    ...parseToken(`${id}.${field('token-secret')}`),
    expiresAtMs: expiration === '' ? undefined : Date.parse(expiration),
    // As kubeadm lists them: in alphabetical order.
    usages: usages.filter((usage) => field(`${usagePrefix}${usage}`) === 'true').toSorted(),
    groups: field('auth-extra-groups')
      .split(',')
      .filter((group) => group !== ''),
    description: field('description'),
  };
}
