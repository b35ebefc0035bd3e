import { unauthorized } from '@wherry/api';
import type { ApiRequest } from '../http/exchange.ts';
import type { BearerTokens } from './bearer-tokens.ts';
import { anonymous, groups, type UserInfo } from './identity.ts';

/** Only what tells nothing about the cluster may be asked without credentials; everything else answers 401. */
const anonymousPaths = /^\/(healthz|livez|readyz|version)(\/|$)/;

/**
 * What hosts that join must read before they can know whom to trust; RBAC decides whether they may. As upstream
 * configured with this path among the conditions of anonymous authentication.
 */
export const clusterInfoPath = '/api/v1/namespaces/kube-public/configmaps/cluster-info';

/** Finds out who sends a request: client certificate first, then bearer token, then nobody. */
export class Authenticator {
  readonly #tokens: BearerTokens;
  readonly #openPaths: readonly string[];
  readonly #onFailure: (reason: string) => void;

  /** @param openPaths further paths that may be asked without credentials, then under the anonymous user's rights */
  constructor(tokens: BearerTokens, openPaths: readonly string[], onFailure: (reason: string) => void) {
    this.#tokens = tokens;
    this.#openPaths = openPaths;
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
    if (anonymousPaths.test(request.path) || this.#openPaths.includes(request.path)) {
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
    throw this.#refuse(verdict.kind === 'invalid' ? verdict.reason : 'unknown token');
  }

  #refuse(reason: string): Error {
    this.#onFailure(reason);
    return unauthorized();
  }
}
