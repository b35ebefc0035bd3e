import { unauthorized } from '@wherry/api';
import type { ApiRequest } from '../http/exchange.ts';
import { anonymous, groups, type UserInfo } from './identity.ts';
import type { ServiceAccountTokens } from './service-account-tokens.ts';

/** Only what tells nothing about the cluster may be asked without credentials; everything else answers 401. */
const anonymousPaths = /^\/(healthz|livez|readyz|version)(\/|$)/;

/** A user of a static token file or another source of bearer tokens; undefined: unknown token. */
export type TokenSource = (token: string) => Promise<UserInfo | undefined>;

/** Finds out who sends a request: client certificate first, then bearer token, then nobody. */
export class Authenticator {
  readonly #tokens: ServiceAccountTokens;
  readonly #sources: readonly TokenSource[];
  readonly #onFailure: (reason: string) => void;

  constructor(tokens: ServiceAccountTokens, sources: readonly TokenSource[], onFailure: (reason: string) => void) {
    this.#tokens = tokens;
    this.#sources = sources;
    this.#onFailure = onFailure;
  }

  /** @throws StatusError Unauthorized; why is logged, never told */
  async authenticate(request: ApiRequest): Promise<UserInfo> {
    const { certificate } = request.peer;
    if (certificate.kind === 'trusted') {
      return {
        name: certificate.commonName,
        uid: '',
        groups: [...certificate.organizations, groups.authenticated],
        extra: {},
      };
    }
    const header = request.header('authorization');
    if (header !== undefined) {
      return this.#fromToken(header, request);
    }
    if (certificate.kind === 'untrusted') {
      throw this.#refuse(`client certificate: ${certificate.reason}`);
    }
    if (anonymousPaths.test(request.path)) {
      return anonymous;
    }
    throw this.#refuse('no credentials');
  }

  async #fromToken(header: string, request: ApiRequest): Promise<UserInfo> {
    const [scheme = '', token = ''] = header.trim().split(/\s+/, 2);
    if (scheme.toLowerCase() !== 'bearer' || token === '') {
      throw this.#refuse(`unknown authorization scheme for ${request.path}`);
    }
    const verdict = await this.#tokens.authenticate(token, this.#tokens.audiences);
    if (verdict.kind === 'user') {
      return verdict.user;
    }
    if (verdict.kind === 'foreign') {
      for (const source of this.#sources) {
        const user = await source(token);
        if (user !== undefined) {
          return user;
        }
      }
    }
    throw this.#refuse(verdict.kind === 'invalid' ? verdict.reason : 'unknown token');
  }

  #refuse(reason: string): Error {
    this.#onFailure(reason);
    return unauthorized();
  }
}
