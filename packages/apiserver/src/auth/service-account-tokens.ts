import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { type Node, type Pod, resources, type Secret, type ServiceAccount } from '@wherry/api';
import type { Clock, Random } from '@wherry/daemon';
import { decodeJwt, decodeProtectedHeader, exportJWK, type JWK, jwtVerify, SignJWT } from 'jose';
import type { ObjectReader } from '../cache/object-reader.ts';
import { groups, serviceAccountGroups, serviceAccountUser, type UserInfo } from './identity.ts';

/** Verified signatures remembered; the objects a token is bound to are looked up each time. */
const VERIFIED_MAX = 4_096;

export interface TokenKeys {
  /** PEM of the private key that signs. */
  readonly signingKey: string;
  /** PEMs of the public keys that verify. */
  readonly verifyingKeys: readonly string[];
  readonly issuer: string;
  readonly audiences: readonly string[];
}

/** The private claim `kubernetes.io` of a bound token. */
export interface BoundClaims {
  readonly namespace: string;
  readonly serviceaccount: BoundReference;
  readonly pod?: BoundReference;
  readonly secret?: BoundReference;
  readonly node?: BoundReference;
  readonly warnafter?: number;
}

export interface BoundReference {
  readonly name: string;
  readonly uid: string;
}

interface Verified {
  readonly subject: string;
  readonly audiences: readonly string[];
  readonly expiresAtSeconds: number;
  readonly notBeforeSeconds: number;
  readonly tokenId: string;
  readonly bound: BoundClaims;
}

export type TokenVerdict =
  | { readonly kind: 'user'; readonly user: UserInfo; readonly audiences: readonly string[] }
  /** Not a token of this issuer: someone else may know it. */
  | { readonly kind: 'foreign' }
  | { readonly kind: 'invalid'; readonly reason: string };

/** Signs and verifies bound service account tokens (KEP-1205). */
export class ServiceAccountTokens {
  readonly #keys: TokenKeys;
  readonly #reader: ObjectReader;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #signing: KeyObject;
  readonly #algorithm: 'ES256' | 'RS256';
  readonly #keyId: string;
  readonly #verifying: ReadonlyMap<string, KeyObject>;
  readonly #verified = new Map<string, Verified>();

  constructor(keys: TokenKeys, reader: ObjectReader, clock: Clock, random: Random) {
    this.#keys = keys;
    this.#reader = reader;
    this.#clock = clock;
    this.#random = random;
    this.#signing = createPrivateKey(keys.signingKey);
    this.#algorithm = algorithmOf(this.#signing);
    const own = createPublicKey(this.#signing);
    this.#keyId = keyId(own);
    const all = [own, ...keys.verifyingKeys.map((pem) => createPublicKey(pem))];
    this.#verifying = new Map(all.map((key) => [keyId(key), key]));
  }

  get issuer(): string {
    return this.#keys.issuer;
  }

  get audiences(): readonly string[] {
    return this.#keys.audiences;
  }

  /** Signs a token; times in seconds since the epoch. */
  async sign(
    bound: BoundClaims,
    audiences: readonly string[],
    expiresInSeconds: number,
  ): Promise<{
    token: string;
    expiresAtSeconds: number;
  }> {
    const now = Math.floor(this.#clock.now() / 1000);
    const token = await new SignJWT({ 'kubernetes.io': bound })
      .setProtectedHeader({ alg: this.#algorithm, kid: this.#keyId })
      .setIssuer(this.#keys.issuer)
      .setSubject(serviceAccountUser(bound.namespace, bound.serviceaccount.name))
      .setAudience([...audiences])
      .setIssuedAt(now)
      .setNotBefore(now)
      .setExpirationTime(now + expiresInSeconds)
      .setJti(this.#random.uuid())
      .sign(this.#signing);
    return { token, expiresAtSeconds: now + expiresInSeconds };
  }

  /** @param audiences any of which the token must be meant for */
  async authenticate(token: string, audiences: readonly string[]): Promise<TokenVerdict> {
    const verified = this.#verified.get(token) ?? (await this.#verify(token));
    if ('kind' in verified) {
      return verified;
    }
    const now = this.#clock.now() / 1000;
    if (now > verified.expiresAtSeconds) {
      return invalid('service account token has expired');
    }
    if (now < verified.notBeforeSeconds) {
      return invalid('service account token is not valid yet');
    }
    const matching = verified.audiences.filter((audience) => audiences.includes(audience));
    if (matching.length === 0) {
      return invalid(
        `token audiences ${JSON.stringify(verified.audiences)} is invalid for the target audiences ${JSON.stringify(audiences)}`,
      );
    }
    const problem = await this.#checkBinding(verified.bound);
    return problem === undefined ? { kind: 'user', user: userOf(verified), audiences: matching } : invalid(problem);
  }

  async #verify(token: string): Promise<Verified | TokenVerdict> {
    let key: KeyObject | undefined;
    try {
      if (decodeJwt(token).iss !== this.#keys.issuer) {
        return { kind: 'foreign' };
      }
      key = this.#verifying.get(decodeProtectedHeader(token).kid ?? '');
    } catch {
      // Not a JWT at all; whether another authenticator knows it is not our question.
      return { kind: 'foreign' };
    }
    if (key === undefined) {
      return invalid('no key of this server signed the token');
    }
    try {
      const { payload } = await jwtVerify(token, key, {
        issuer: this.#keys.issuer,
        algorithms: [algorithmOf(key)],
        currentDate: new Date(this.#clock.now()),
      });
      const bound = payload['kubernetes.io'] as BoundClaims | undefined;
      if (bound?.serviceaccount === undefined || payload.exp === undefined) {
        return invalid('the token lacks the kubernetes.io claims');
      }
      const verified: Verified = {
        subject: payload.sub ?? '',
        audiences: typeof payload.aud === 'string' ? [payload.aud] : (payload.aud ?? []),
        expiresAtSeconds: payload.exp,
        notBeforeSeconds: payload.nbf ?? 0,
        tokenId: payload.jti ?? '',
        bound,
      };
      this.#remember(token, verified);
      return verified;
    } catch (error) {
      return invalid((error as Error).message);
    }
  }

  #remember(token: string, verified: Verified): void {
    if (this.#verified.size >= VERIFIED_MAX) {
      const oldest = this.#verified.keys().next().value;
      if (oldest !== undefined) {
        this.#verified.delete(oldest);
      }
    }
    this.#verified.set(token, verified);
  }

  /** A token dies with the objects it is bound to, and 60 s after their deletion began (upstream's leeway). */
  async #checkBinding(bound: BoundClaims): Promise<string | undefined> {
    const account = await this.#reader.readFresh(resources.serviceaccounts, bound.namespace, bound.serviceaccount.name);
    const problem = this.#differs('service account', bound.serviceaccount, account);
    if (problem !== undefined) {
      return problem;
    }
    if (bound.pod !== undefined) {
      const pod = await this.#reader.readFresh(resources.pods, bound.namespace, bound.pod.name);
      return this.#differs('pod', bound.pod, pod);
    }
    if (bound.secret !== undefined) {
      const secret = await this.#reader.readFresh(resources.secrets, bound.namespace, bound.secret.name);
      return this.#differs('secret', bound.secret, secret);
    }
    if (bound.node !== undefined) {
      return this.#differs('node', bound.node, await this.#reader.readFresh(resources.nodes, '', bound.node.name));
    }
    return undefined;
  }

  #differs(
    what: string,
    bound: BoundReference,
    object: ServiceAccount | Pod | Secret | Node | undefined,
  ): string | undefined {
    if (object === undefined || object.metadata?.uid !== bound.uid) {
      return `${what} ${bound.name} of the token has been deleted`;
    }
    const deletedAt = object.metadata.deletionTimestamp;
    return deletedAt !== undefined && this.#clock.now() > Date.parse(deletedAt) + 60_000
      ? `${what} ${bound.name} of the token has been deleted`
      : undefined;
  }

  /** The public keys for /openid/v1/jwks. */
  async publicKeys(): Promise<readonly JWK[]> {
    return Promise.all(
      [...this.#verifying].map(async ([kid, key]) => ({
        ...(await exportJWK(key)),
        kid,
        use: 'sig',
        alg: algorithmOf(key),
      })),
    );
  }
}

function invalid(reason: string): TokenVerdict {
  return { kind: 'invalid', reason };
}

function userOf(verified: Verified): UserInfo {
  const { bound } = verified;
  const extra: Record<string, readonly string[]> = {};
  if (verified.tokenId !== '') {
    extra['authentication.kubernetes.io/credential-id'] = [`JTI=${verified.tokenId}`];
  }
  for (const kind of ['node', 'pod'] as const) {
    const reference = bound[kind];
    if (reference !== undefined) {
      extra[`authentication.kubernetes.io/${kind}-name`] = [reference.name];
      extra[`authentication.kubernetes.io/${kind}-uid`] = [reference.uid];
    }
  }
  return {
    name: verified.subject,
    uid: bound.serviceaccount.uid,
    groups: [...serviceAccountGroups(bound.namespace), groups.authenticated],
    extra,
  };
}

function algorithmOf(key: KeyObject): 'ES256' | 'RS256' {
  if (key.asymmetricKeyType === 'ec') {
    return 'ES256';
  }
  if (key.asymmetricKeyType === 'rsa') {
    return 'RS256';
  }
  throw new Error(
    `Cannot use a ${key.asymmetricKeyType ?? 'unknown'} key for service account tokens: RSA or P-256 needed`,
  );
}

/** Upstream's key id: the hash of the public key's DER form. */
function keyId(key: KeyObject): string {
  return createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('base64url');
}
