import { badRequest, forbidden } from '@wherry/api';
import type { ApiRequest } from '../http/exchange.ts';
import { type AuthorizationAttributes, type Authorizer, forbiddenText } from './attributes.ts';
import { anonymous, groups, parseServiceAccountUser, serviceAccountGroups, type UserInfo } from './identity.ts';

const EXTRA_PREFIX = 'impersonate-extra-';

/** The user that a request acts as: the one its Impersonate-* headers name, if the caller may. */
export function impersonated(request: ApiRequest, user: UserInfo, authorizer: Authorizer): UserInfo {
  const name = request.header('impersonate-user') ?? '';
  const wantedGroups = request.headers('impersonate-group');
  const uid = request.header('impersonate-uid') ?? '';
  const extraNames = [...request.headerNames()].filter((header) => header.startsWith(EXTRA_PREFIX));
  if (name === '') {
    if (wantedGroups.length > 0 || uid !== '' || extraNames.length > 0) {
      throw badRequest('requested impersonation without impersonating a user');
    }
    return user;
  }
  const account = parseServiceAccountUser(name);
  if (account === undefined) {
    check(authorizer, user, { resource: 'users', name });
  } else {
    check(authorizer, user, { resource: 'serviceaccounts', name: account.name, namespace: account.namespace });
  }
  for (const group of wantedGroups) {
    check(authorizer, user, { resource: 'groups', name: group });
  }
  const extra: Record<string, readonly string[]> = {};
  for (const header of extraNames) {
    const key = decodeURIComponent(header.slice(EXTRA_PREFIX.length));
    extra[key] = request.headers(header);
    for (const value of extra[key]) {
      check(authorizer, user, {
        resource: 'userextras',
        subresource: key,
        name: value,
        group: 'authentication.k8s.io',
      });
    }
  }
  if (uid !== '') {
    check(authorizer, user, { resource: 'uids', name: uid, group: 'authentication.k8s.io' });
  }
  const base =
    wantedGroups.length === 0 && account !== undefined ? serviceAccountGroups(account.namespace) : wantedGroups;
  const state = name === anonymous.name ? groups.unauthenticated : groups.authenticated;
  return { name, uid, groups: base.includes(state) ? base : [...base, state], extra };
}

interface What {
  readonly resource: string;
  readonly name: string;
  readonly namespace?: string;
  readonly subresource?: string;
  readonly group?: string;
}

function check(authorizer: Authorizer, user: UserInfo, what: What): void {
  const attributes: AuthorizationAttributes = {
    user,
    verb: 'impersonate',
    isResourceRequest: true,
    group: what.group ?? '',
    version: 'v1',
    resource: what.resource,
    subresource: what.subresource ?? '',
    namespace: what.namespace ?? '',
    name: what.name,
    path: '',
    fields: [],
  };
  const decision = authorizer.authorize(attributes);
  if (decision.kind !== 'allow') {
    throw forbidden(
      { group: attributes.group, resource: what.resource },
      what.name,
      forbiddenText(attributes, decision.reason),
    );
  }
}
