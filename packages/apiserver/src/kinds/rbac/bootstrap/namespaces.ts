// Roles that hold in one namespace.
import type { Role, RoleBinding } from '@wherry/api';
import { binding, core, read, role, rule, serviceAccount, user, writeEvents } from './rule.ts';

const system = 'kube-system';
const open = 'kube-public';

/** The older way of electing leaders, on a ConfigMap; kept because its roles are part of what clients list. */
function leaderLocking(component: string): Role {
  return role(system, `system::leader-locking-${component}`, [
    rule('watch', core, 'configmaps'),
    rule('get update', core, 'configmaps', component),
  ]);
}

export const namespacedRoles: readonly Role[] = [
  role(system, 'extension-apiserver-authentication-reader', [
    rule(read, core, 'configmaps', 'extension-apiserver-authentication'),
  ]),
  role(system, 'system:controller:bootstrap-signer', [rule(read, core, 'secrets')]),
  role(system, 'system:controller:cloud-provider', [rule('create get list watch', core, 'configmaps')]),
  role(system, 'system:controller:token-cleaner', [rule('delete get list watch', core, 'secrets'), writeEvents]),
  leaderLocking('kube-controller-manager'),
  leaderLocking('kube-scheduler'),
  role(open, 'system:controller:bootstrap-signer', [
    rule(read, core, 'configmaps'),
    rule('update', core, 'configmaps', 'cluster-info'),
    writeEvents,
  ]),
  // Cluster DNS runs outside the pods it serves and publishes its own address behind the kube-dns Service.
  role(system, 'system:coredns', [
    rule('create delete get list patch update watch', 'discovery.k8s.io', 'endpointslices'),
  ]),
];

const controllerManager = user('system:kube-controller-manager');
const scheduler = user('system:kube-scheduler');

export const namespacedBindings: readonly RoleBinding[] = [
  binding(
    system,
    'extension-apiserver-authentication-reader',
    [controllerManager, scheduler],
    'system::extension-apiserver-authentication-reader',
  ),
  binding(system, 'system:controller:bootstrap-signer', [serviceAccount(system, 'bootstrap-signer')]),
  binding(system, 'system:controller:cloud-provider', [serviceAccount(system, 'cloud-provider')]),
  binding(system, 'system:controller:token-cleaner', [serviceAccount(system, 'token-cleaner')]),
  binding(system, 'system::leader-locking-kube-controller-manager', [
    controllerManager,
    serviceAccount(system, 'kube-controller-manager'),
  ]),
  binding(system, 'system::leader-locking-kube-scheduler', [scheduler, serviceAccount(system, 'kube-scheduler')]),
  binding(open, 'system:controller:bootstrap-signer', [serviceAccount(system, 'bootstrap-signer')]),
  binding(system, 'system:coredns', [user('system:coredns')]),
  // The signer runs under the controller manager's own name, as all our controllers do.
  binding(
    open,
    'system:controller:bootstrap-signer',
    [controllerManager],
    'wherry:kube-controller-manager:bootstrap-signer',
  ),
];
