import type { FieldRequirement } from '@wherry/api';
import type { RequestInfo } from '../http/request-info.ts';
import type { UserInfo } from './identity.ts';

/** What is to be decided: may this user do this? */
export interface AuthorizationAttributes {
  readonly user: UserInfo;
  readonly verb: string;
  readonly isResourceRequest: boolean;
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  readonly path: string;
  /** Of list, watch and deletecollection; empty when there is none or it cannot be parsed. */
  readonly fields: readonly FieldRequirement[];
}

export type Decision =
  | { readonly kind: 'allow'; readonly reason: string }
  | { readonly kind: 'deny'; readonly reason: string }
  | { readonly kind: 'noOpinion'; readonly reason: string };

export interface Authorizer {
  authorize(attributes: AuthorizationAttributes): Decision;
}

export function attributesOf(
  user: UserInfo,
  info: RequestInfo,
  fields: readonly FieldRequirement[],
): AuthorizationAttributes {
  return {
    user,
    verb: info.verb,
    isResourceRequest: info.isResourceRequest,
    group: info.group,
    version: info.version,
    resource: info.resource,
    subresource: info.subresource,
    namespace: info.namespace,
    name: info.name,
    path: info.path,
    fields,
  };
}

/** Upstream's sentence in a 403. */
export function forbiddenText(attributes: AuthorizationAttributes, reason: string): string {
  const { user, verb } = attributes;
  const tail = reason === '' ? '' : `: ${reason}`;
  if (!attributes.isResourceRequest) {
    return `User ${JSON.stringify(user.name)} cannot ${verb} path ${JSON.stringify(attributes.path)}${tail}`;
  }
  const resource =
    attributes.subresource === '' ? attributes.resource : `${attributes.resource}/${attributes.subresource}`;
  const where =
    attributes.namespace === '' ? 'at the cluster scope' : `in the namespace ${JSON.stringify(attributes.namespace)}`;
  return `User ${JSON.stringify(user.name)} cannot ${verb} resource ${JSON.stringify(resource)} in API group ${JSON.stringify(attributes.group)} ${where}${tail}`;
}

/** The first authorizer with an opinion decides. */
export class AuthorizerChain implements Authorizer {
  readonly #authorizers: readonly Authorizer[];

  constructor(authorizers: readonly Authorizer[]) {
    this.#authorizers = authorizers;
  }

  authorize(attributes: AuthorizationAttributes): Decision {
    const reasons: string[] = [];
    for (const authorizer of this.#authorizers) {
      const decision = authorizer.authorize(attributes);
      if (decision.kind !== 'noOpinion') {
        return decision;
      }
      if (decision.reason !== '') {
        reasons.push(decision.reason);
      }
    }
    return { kind: 'noOpinion', reason: reasons.join(', ') };
  }
}
