import { type ApiObject, type ClusterRole, forbidden, type PolicyRule, type RoleBinding } from '@wherry/api';
import type { AdmissionAttributes, AdmissionPlugin } from '../admission/chain.ts';
import type { AuthorizationAttributes, Authorizer } from './attributes.ts';
import type { UserInfo } from './identity.ts';
import { groups } from './identity.ts';
import type { RbacAuthorizer } from './rbac.ts';
import { describeRule, uncovered } from './rbac-rules.ts';

const RBAC_GROUP = 'rbac.authorization.k8s.io';

/** Nobody gives rights that he does not have, unless he holds `escalate` on the role or `bind` for the binding. */
export function escalationCheck(rbac: RbacAuthorizer, authorizer: Authorizer): AdmissionPlugin {
  return {
    name: 'RBACEscalation',
    validate(attributes) {
      const { stored, operation, user, object } = attributes;
      if (stored.group !== RBAC_GROUP || operation === 'DELETE' || object === undefined) {
        return;
      }
      if (user.groups.includes(groups.masters)) {
        return;
      }
      if (stored.resource === 'roles' || stored.resource === 'clusterroles') {
        checkRole(attributes, object as ClusterRole, rbac, authorizer);
      } else {
        checkBinding(attributes, object as RoleBinding, rbac, authorizer);
      }
    },
  };
}

function checkRole(
  attributes: AdmissionAttributes,
  role: ClusterRole,
  rbac: RbacAuthorizer,
  authorizer: Authorizer,
): void {
  const unchanged =
    attributes.old !== undefined &&
    JSON.stringify((attributes.old as ClusterRole).rules ?? []) === JSON.stringify(role.rules ?? []);
  if (unchanged || may(attributes, 'escalate', attributes.stored.resource, nameOf(role), authorizer)) {
    return;
  }
  refuseUncovered(attributes, role.rules ?? [], rbac, nameOf(role));
}

function checkBinding(
  attributes: AdmissionAttributes,
  binding: RoleBinding,
  rbac: RbacAuthorizer,
  authorizer: Authorizer,
): void {
  const old = attributes.old as RoleBinding | undefined;
  if (
    old !== undefined &&
    JSON.stringify([old.roleRef, old.subjects]) === JSON.stringify([binding.roleRef, binding.subjects])
  ) {
    return;
  }
  const resource = binding.roleRef.kind === 'ClusterRole' ? 'clusterroles' : 'roles';
  if (may(attributes, 'bind', resource, binding.roleRef.name, authorizer)) {
    return;
  }
  const rules = rbac.rulesOfRole(binding.roleRef, attributes.namespace);
  if (rules === undefined) {
    throw forbidden(
      attributes.stored,
      nameOf(binding),
      `${resource}.${RBAC_GROUP} ${JSON.stringify(binding.roleRef.name)} not found`,
    );
  }
  refuseUncovered(attributes, rules, rbac, nameOf(binding));
}

function refuseUncovered(
  attributes: AdmissionAttributes,
  rules: readonly PolicyRule[],
  rbac: RbacAuthorizer,
  name: string,
): void {
  const { user, namespace } = attributes;
  const missing = uncovered(rbac.rulesFor(user, namespace).rules, rules);
  if (missing.length > 0) {
    throw forbidden(attributes.stored, name, escalationText(user, missing));
  }
}

function escalationText(user: UserInfo, missing: readonly PolicyRule[]): string {
  const list = (items: readonly string[]): string => `[${items.map((item) => JSON.stringify(item)).join(' ')}]`;
  return `user ${JSON.stringify(user.name)} (groups=${list(user.groups)}) is attempting to grant RBAC permissions not currently held:\n${missing.map(describeRule).join('\n')}`;
}

function may(
  attributes: AdmissionAttributes,
  verb: string,
  resource: string,
  name: string,
  authorizer: Authorizer,
): boolean {
  const question: AuthorizationAttributes = {
    user: attributes.user,
    verb,
    isResourceRequest: true,
    group: RBAC_GROUP,
    version: 'v1',
    resource,
    subresource: '',
    namespace: attributes.namespace,
    name,
    path: '',
    fields: [],
  };
  return authorizer.authorize(question).kind === 'allow';
}

function nameOf(object: ApiObject): string {
  return object.metadata?.name ?? '';
}
