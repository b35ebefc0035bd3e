import type { BootstrapTokens } from './bootstrap-tokens.ts';
import type { ServiceAccountTokens, TokenVerdict } from './service-account-tokens.ts';

/** Whatever a bearer token may be: of a service account, or of a host that joins. */
export class BearerTokens {
  readonly #accounts: ServiceAccountTokens;
  readonly #bootstrap: BootstrapTokens | undefined;

  /** @param bootstrap undefined without --enable-bootstrap-token-auth */
  constructor(accounts: ServiceAccountTokens, bootstrap: BootstrapTokens | undefined) {
    this.#accounts = accounts;
    this.#bootstrap = bootstrap;
  }

  /** Of this API: what a token is meant for when nobody says otherwise. */
  get audiences(): readonly string[] {
    return this.#accounts.audiences;
  }

  /** @param audiences any of which the token must be meant for */
  async authenticate(token: string, audiences: readonly string[]): Promise<TokenVerdict> {
    const verdict = await this.#accounts.authenticate(token, audiences);
    if (verdict.kind !== 'foreign') {
      return verdict;
    }
    const bootstrap = this.#bootstrap?.authenticate(token);
    if (bootstrap === undefined) {
      return verdict;
    }
    if (bootstrap.kind === 'refused') {
      return { kind: 'invalid', reason: bootstrap.reason };
    }
    // Tokens that name no audience are meant for this API alone.
    const matching = audiences.filter((audience) => this.audiences.includes(audience));
    return matching.length === 0
      ? { kind: 'invalid', reason: `the token is not meant for the audiences ${JSON.stringify(audiences)}` }
      : { kind: 'user', user: bootstrap.user, audiences: matching };
  }
}
