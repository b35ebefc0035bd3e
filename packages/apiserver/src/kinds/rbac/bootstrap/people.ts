// Roles for people and for anybody who can connect.
import type { ClusterRole, ClusterRoleBinding } from '@wherry/api';
import {
  aggregatedRole,
  apps,
  clusterBinding,
  clusterRole,
  core,
  group,
  read,
  readWrite,
  rule,
  urls,
  write,
} from './rule.ts';

const toAdmin = 'rbac.authorization.k8s.io/aggregate-to-admin';
const toEdit = 'rbac.authorization.k8s.io/aggregate-to-edit';
const toView = 'rbac.authorization.k8s.io/aggregate-to-view';

const workloads =
  'daemonsets deployments deployments/scale replicasets replicasets/scale statefulsets statefulsets/scale';
const health = '/healthz /livez /readyz';

export const peopleRoles: readonly ClusterRole[] = [
  clusterRole('cluster-admin', [rule('*', '*', '*'), urls('*', '*')]),
  clusterRole('system:discovery', [
    urls('get', `${health} /api /api/* /apis /apis/* /openapi /openapi/* /version /version/`),
  ]),
  clusterRole('system:monitoring', [urls('get', `${health} /healthz/* /livez/* /metrics /metrics/slis /readyz/*`)]),
  clusterRole('system:basic-user', [
    rule('create', 'authorization.k8s.io', 'selfsubjectaccessreviews selfsubjectrulesreviews'),
    rule('create', 'authentication.k8s.io', 'selfsubjectreviews'),
  ]),
  clusterRole('system:public-info-viewer', [urls('get', `${health} /version /version/`)]),
  aggregatedRole('admin', toAdmin),
  aggregatedRole('edit', toEdit, { [toAdmin]: 'true' }),
  aggregatedRole('view', toView, { [toEdit]: 'true' }),
  clusterRole(
    'system:aggregate-to-admin',
    [
      rule('create', 'authorization.k8s.io', 'localsubjectaccessreviews'),
      rule(readWrite, 'rbac.authorization.k8s.io', 'rolebindings roles'),
    ],
    { [toAdmin]: 'true' },
  ),
  clusterRole(
    'system:aggregate-to-edit',
    [
      // What lets its reader act as somebody else is no part of `view`.
      rule(read, core, 'pods/attach pods/exec pods/portforward pods/proxy secrets services/proxy'),
      rule('impersonate', core, 'serviceaccounts'),
      rule(write, core, 'pods pods/attach pods/exec pods/portforward pods/proxy'),
      rule('create', core, 'pods/eviction'),
      rule(
        write,
        core,
        'configmaps events persistentvolumeclaims replicationcontrollers replicationcontrollers/scale secrets serviceaccounts services services/proxy',
      ),
      rule('create', core, 'serviceaccounts/token'),
      rule(write, 'apps', `${workloads} deployments/rollback`),
      rule(write, 'autoscaling', 'horizontalpodautoscalers'),
      rule(write, 'batch', 'cronjobs jobs'),
      rule(
        write,
        'extensions',
        'daemonsets deployments deployments/rollback deployments/scale ingresses networkpolicies replicasets replicasets/scale replicationcontrollers/scale',
      ),
      rule(write, 'policy', 'poddisruptionbudgets'),
      rule(write, 'networking.k8s.io', 'ingresses networkpolicies'),
      rule(readWrite, 'coordination.k8s.io', 'leases'),
      rule(write, 'resource.k8s.io', 'resourceclaims resourceclaimtemplates'),
    ],
    { [toEdit]: 'true' },
  ),
  clusterRole(
    'system:aggregate-to-view',
    [
      rule(
        read,
        core,
        'configmaps endpoints persistentvolumeclaims persistentvolumeclaims/status pods replicationcontrollers replicationcontrollers/scale serviceaccounts services services/status',
      ),
      rule(
        read,
        core,
        'bindings events limitranges namespaces/status pods/log pods/status replicationcontrollers/status resourcequotas resourcequotas/status',
      ),
      rule(read, core, 'namespaces'),
      rule(read, 'discovery.k8s.io', 'endpointslices'),
      rule(
        read,
        'apps',
        `controllerrevisions ${workloads} daemonsets/status deployments/status replicasets/status statefulsets/status`,
      ),
      rule(read, 'autoscaling', 'horizontalpodautoscalers horizontalpodautoscalers/status'),
      rule(read, 'batch', 'cronjobs cronjobs/status jobs jobs/status'),
      rule(
        read,
        'extensions',
        'daemonsets daemonsets/status deployments deployments/scale deployments/status ingresses ingresses/status networkpolicies replicasets replicasets/scale replicasets/status replicationcontrollers/scale',
      ),
      rule(read, 'policy', 'poddisruptionbudgets poddisruptionbudgets/status'),
      rule(read, 'networking.k8s.io', 'ingresses ingresses/status networkpolicies'),
      rule(read, 'resource.k8s.io', 'resourceclaims resourceclaims/status resourceclaimtemplates'),
    ],
    { [toView]: 'true' },
  ),
  clusterRole('system:heapster', [
    rule(read, core, 'events namespaces nodes pods'),
    rule(read, apps.slice(1), 'deployments'),
  ]),
];

const authenticated = group('system:authenticated');
const unauthenticated = group('system:unauthenticated');

export const peopleBindings: readonly ClusterRoleBinding[] = [
  clusterBinding('cluster-admin', [group('system:masters')]),
  clusterBinding('system:monitoring', [group('system:monitoring')]),
  clusterBinding('system:discovery', [authenticated]),
  clusterBinding('system:basic-user', [authenticated]),
  clusterBinding('system:public-info-viewer', [authenticated, unauthenticated]),
];
