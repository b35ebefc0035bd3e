// What a new cluster finds in RBAC. The roles and bindings are upstream's; ours are named `wherry:` or system:coredns.
import { componentBindings, componentRoles, nodesBinding } from './rbac/bootstrap/components.ts';
import { controllerBindings, controllerRoles, sharedIdentityBindings } from './rbac/bootstrap/controllers.ts';
import { namespacedBindings, namespacedRoles } from './rbac/bootstrap/namespaces.ts';
import { peopleBindings, peopleRoles } from './rbac/bootstrap/people.ts';
import type { BootstrapPolicy } from './strategy.ts';

export const bootstrapPolicy: BootstrapPolicy = {
  clusterRoles: [...peopleRoles, ...componentRoles, ...controllerRoles],
  clusterRoleBindings: [...peopleBindings, ...componentBindings, ...controllerBindings, ...sharedIdentityBindings],
  roles: namespacedRoles,
  roleBindings: namespacedBindings,
  withoutNodeAuthorizer: [nodesBinding],
};
