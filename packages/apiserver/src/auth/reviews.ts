import {
  type ApiObject,
  badRequest,
  facts,
  invalid,
  invalidValue,
  type LocalSubjectAccessReview,
  type ResourceAttributes,
  required,
  type SelfSubjectAccessReview,
  type SelfSubjectReview,
  type SelfSubjectRulesReview,
  type SubjectAccessReview,
  type SubjectAccessReviewSpec,
  type TokenReview,
} from '@wherry/api';
import { rfc3339 } from '@wherry/daemon';
import type { ApiResponse } from '../http/exchange.ts';
import { valueResponse } from '../http/respond.ts';
import type { ResourceRequest } from '../registry/context.ts';
import { readObject } from '../registry/decode.ts';
import { parseWriteOptions } from '../registry/options.ts';
import type { AuthorizationAttributes, Authorizer } from './attributes.ts';
import type { BearerTokens } from './bearer-tokens.ts';
import { groups, type UserInfo } from './identity.ts';
import type { RbacAuthorizer } from './rbac.ts';

/** Answers the kinds that are questions about rights and identities. */
export class Reviews {
  readonly #authorizer: Authorizer;
  readonly #rbac: RbacAuthorizer;
  readonly #tokens: BearerTokens;

  constructor(authorizer: Authorizer, rbac: RbacAuthorizer, tokens: BearerTokens) {
    this.#authorizer = authorizer;
    this.#rbac = rbac;
    this.#tokens = tokens;
  }

  async create(from: ResourceRequest): Promise<ApiResponse> {
    const { group, version, kind, resource } = from.kind.resource;
    const node = facts.ofKind(group, version, kind);
    if (node === undefined) {
      throw new Error(`No facts about ${kind}`);
    }
    const options = parseWriteOptions(from.query, 'CreateOptions');
    const { object } = await readObject(from.request, { group, version, kind, node }, options.fieldValidation);
    const answer = await this.#answer(resource, object, from);
    return valueResponse(201, answer, from.how);
  }

  #answer(resource: string, object: ApiObject, from: ResourceRequest): ApiObject | Promise<ApiObject> {
    switch (resource) {
      case 'selfsubjectreviews':
        return {
          ...(object as SelfSubjectReview),
          metadata: created(from),
          status: { userInfo: userInfo(from.user) },
        } as ApiObject;
      case 'selfsubjectaccessreviews': {
        const review = object as SelfSubjectAccessReview;
        return { ...review, status: this.#decide(from.user, review.spec, 'SelfSubjectAccessReview') } as ApiObject;
      }
      case 'subjectaccessreviews':
        return this.#subject(object as SubjectAccessReview, 'SubjectAccessReview');
      case 'localsubjectaccessreviews': {
        const review = object as LocalSubjectAccessReview;
        if (review.spec.resourceAttributes?.namespace !== from.info.namespace) {
          throw badRequest(`spec.resourceAttributes.namespace must match namespace: ${from.info.namespace}`);
        }
        return this.#subject(review, 'LocalSubjectAccessReview');
      }
      case 'selfsubjectrulesreviews':
        return this.#rules(object as SelfSubjectRulesReview, from.user);
      case 'tokenreviews':
        return this.#token(object as TokenReview);
      default:
        throw new Error(`${resource} is no review`);
    }
  }

  #subject(review: SubjectAccessReview, kind: string): ApiObject {
    const { spec } = review;
    if ((spec.user ?? '') === '' && (spec.groups ?? []).length === 0) {
      throw invalid({ group: 'authorization.k8s.io', kind }, '', [
        required('spec.user', 'at least one of user or group must be specified'),
      ]);
    }
    const user: UserInfo = {
      name: spec.user ?? '',
      uid: spec.uid ?? '',
      groups: spec.groups ?? [],
      extra: spec.extra ?? {},
    };
    return { ...review, status: this.#decide(user, spec, kind) } as ApiObject;
  }

  #decide(user: UserInfo, spec: SubjectAccessReviewSpec, kind: string): SubjectAccessReview['status'] {
    const { resourceAttributes, nonResourceAttributes } = spec;
    if ((resourceAttributes === undefined) === (nonResourceAttributes === undefined)) {
      throw invalid({ group: 'authorization.k8s.io', kind }, '', [
        invalidValue(
          'spec.resourceAttributes',
          resourceAttributes ?? {},
          'exactly one of nonResourceAttributes or resourceAttributes must be specified',
        ),
      ]);
    }
    const attributes =
      resourceAttributes === undefined
        ? pathAttributes(user, nonResourceAttributes?.verb ?? '', nonResourceAttributes?.path ?? '')
        : resourceQuestion(user, resourceAttributes);
    const decision = this.#authorizer.authorize(attributes);
    return {
      allowed: decision.kind === 'allow',
      ...(decision.kind === 'deny' ? { denied: true } : {}),
      ...(decision.reason === '' ? {} : { reason: decision.reason }),
    };
  }

  #rules(review: SelfSubjectRulesReview, user: UserInfo): ApiObject {
    const namespace = review.spec.namespace ?? '';
    if (namespace === '') {
      throw badRequest('no namespace on request');
    }
    const { rules, errors } = this.#rbac.rulesFor(user, namespace);
    return {
      ...review,
      status: {
        resourceRules: rules
          .filter(({ resources = [] }) => resources.length > 0)
          .map(({ verbs, apiGroups, resources, resourceNames }) => ({
            verbs,
            apiGroups,
            resources,
            ...(resourceNames === undefined ? {} : { resourceNames }),
          })),
        nonResourceRules: rules
          .filter(({ nonResourceURLs = [] }) => nonResourceURLs.length > 0)
          .map(({ verbs, nonResourceURLs }) => ({ verbs, nonResourceURLs })),
        incomplete: false,
        ...(errors.length === 0 ? {} : { evaluationError: errors.join(', ') }),
      },
    } as ApiObject;
  }

  async #token(review: TokenReview): Promise<ApiObject> {
    const token = review.spec.token ?? '';
    if (token === '') {
      throw badRequest('token is required for TokenReview in authentication');
    }
    const audiences = review.spec.audiences ?? [];
    const verdict = await this.#tokens.authenticate(token, audiences.length === 0 ? this.#tokens.audiences : audiences);
    const status =
      verdict.kind === 'user'
        ? {
            authenticated: true,
            user: userInfo(verdict.user),
            audiences: verdict.audiences,
          }
        : { authenticated: false, user: {}, error: verdict.kind === 'invalid' ? verdict.reason : 'unknown token' };
    return { ...review, status } as ApiObject;
  }
}

function created(from: ResourceRequest): { creationTimestamp: string } {
  return { creationTimestamp: rfc3339(from.registry.clock.now()) };
}

function userInfo(user: UserInfo): {
  username: string;
  uid?: string;
  groups: readonly string[];
  extra?: UserInfo['extra'];
} {
  return {
    username: user.name,
    ...(user.uid === '' ? {} : { uid: user.uid }),
    groups: user.groups.length === 0 ? [groups.authenticated] : user.groups,
    ...(Object.keys(user.extra).length === 0 ? {} : { extra: user.extra }),
  };
}

function pathAttributes(user: UserInfo, verb: string, path: string): AuthorizationAttributes {
  return {
    user,
    verb,
    isResourceRequest: false,
    group: '',
    version: '',
    resource: '',
    subresource: '',
    namespace: '',
    name: '',
    path,
    fields: [],
  };
}

function resourceQuestion(user: UserInfo, about: ResourceAttributes): AuthorizationAttributes {
  return {
    user,
    verb: about.verb ?? '',
    isResourceRequest: true,
    group: about.group ?? '',
    version: about.version ?? '',
    resource: about.resource ?? '',
    subresource: about.subresource ?? '',
    namespace: about.namespace ?? '',
    name: about.name ?? '',
    path: '',
    fields: (about.fieldSelector?.requirements ?? []).flatMap(({ key, operator, values = [] }) => {
      const value = values[0];
      return operator === 'In' && values.length === 1 && value !== undefined
        ? [{ field: key, operator: '=' as const, value }]
        : [];
    }),
  };
}
