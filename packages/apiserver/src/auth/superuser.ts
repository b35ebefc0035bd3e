import type { AuthorizationAttributes, Authorizer, Decision } from './attributes.ts';
import { groups } from './identity.ts';

/** system:masters may do everything, whatever happens to the RBAC objects. */
export const superuserAuthorizer: Authorizer = {
  authorize(attributes: AuthorizationAttributes): Decision {
    return attributes.user.groups.includes(groups.masters)
      ? { kind: 'allow', reason: '' }
      : { kind: 'noOpinion', reason: '' };
  },
};
