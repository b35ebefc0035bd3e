import { timingSafeEqual } from 'node:crypto';
import { resources, type Secret } from '@wherry/api';
import type { Clock } from '@wherry/daemon';
import type { ObjectReader } from '../cache/object-reader.ts';
import { groups, type UserInfo } from './identity.ts';

const NAMESPACE = 'kube-system';
const TOKEN_TYPE = 'bootstrap.kubernetes.io/token';
const tokenForm = /^([a-z0-9]{6})\.([a-z0-9]{16})$/;
const USER_PREFIX = 'system:bootstrap:';
const GROUP = 'system:bootstrappers';
/** Groups that a token may add: others would make it more than a bootstrapper. */
const extraGroupForm = /^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$/;

export type BootstrapVerdict =
  | { readonly kind: 'user'; readonly user: UserInfo }
  | { readonly kind: 'refused'; readonly reason: string };

/**
 * Tokens with which hosts join: Secrets `bootstrap-token-<id>` in kube-system. They are read from the watch cache alone,
 * as upstream reads its informer: whoever guesses tokens must not make the store work.
 */
export class BootstrapTokens {
  readonly #reader: ObjectReader;
  readonly #clock: Clock;

  constructor(reader: ObjectReader, clock: Clock) {
    this.#reader = reader;
    this.#clock = clock;
  }

  /** @returns undefined when the text has not the form of a bootstrap token */
  authenticate(token: string): BootstrapVerdict | undefined {
    const [, id, secret] = tokenForm.exec(token) ?? [];
    if (id === undefined || secret === undefined) {
      return undefined;
    }
    const stored = this.#reader.read(resources.secrets, NAMESPACE, `bootstrap-token-${id}`);
    if (stored === undefined) {
      return refused(`no Secret of bootstrap token ${id}`);
    }
    return judge(stored, id, secret, this.#clock.now());
  }
}

function judge(stored: Secret, id: string, secret: string, nowMs: number): BootstrapVerdict {
  if (stored.metadata?.deletionTimestamp !== undefined) {
    return refused(`bootstrap token ${id} is deleted and awaiting removal`);
  }
  if (stored.type !== TOKEN_TYPE) {
    return refused(`bootstrap token ${id}: the Secret has not the type ${TOKEN_TYPE}`);
  }
  if (!sameText(field(stored, 'token-secret'), secret)) {
    return refused(`bootstrap token ${id} has another secret`);
  }
  if (field(stored, 'token-id') !== id) {
    return refused(`bootstrap token ${id}: the Secret holds another token-id`);
  }
  const expiration = field(stored, 'expiration');
  // A time that cannot be read counts as past, as upstream.
  if (expiration !== '' && !(Date.parse(expiration) > nowMs)) {
    return refused(`bootstrap token ${id} has expired`);
  }
  if (field(stored, 'usage-bootstrap-authentication') !== 'true') {
    return refused(`bootstrap token ${id} is not marked usage-bootstrap-authentication=true`);
  }
  const extra = field(stored, 'auth-extra-groups')
    .split(',')
    .filter((group) => group !== '');
  const wrong = extra.find((group) => !extraGroupForm.test(group));
  if (wrong !== undefined) {
    return refused(`bootstrap token ${id} has invalid auth-extra-groups: ${JSON.stringify(wrong)}`);
  }
  const names = [...new Set([GROUP, ...extra])].toSorted();
  return {
    kind: 'user',
    user: { name: `${USER_PREFIX}${id}`, uid: '', groups: [...names, groups.authenticated], extra: {} },
  };
}

function field(secret: Secret, key: string): string {
  return Buffer.from(secret.data?.[key] ?? '', 'base64').toString('utf8');
}

/** Takes as long for a near miss as for a hit; only the length shows, which is public. */
function sameText(left: string, right: string): boolean {
  const [a, b] = [Buffer.from(left), Buffer.from(right)];
  return a.length === b.length && timingSafeEqual(a, b);
}

function refused(reason: string): BootstrapVerdict {
  return { kind: 'refused', reason };
}
