import type { ApiObject, ClusterRole, ClusterRoleBinding, ConfigMap, Service } from '@wherry/api';
import { uncovered } from '../auth/rbac-rules.ts';
import { bootstrapPolicy } from '../kinds/rbac-bootstrap.ts';
import { systemPriorityClasses } from '../kinds/scheduling/priority-class.ts';
import { type Json, jsonEqual } from '../patch/json.ts';
import { addressAt, parseIpRange } from '../registry/allocation/ip-range.ts';
import type { Apiserver } from './assemble.ts';
import { extensionAuthentication, kubernetesService, serviceCidr, systemNamespaces } from './bootstrap-objects.ts';
import { changeExisting, createIfMissing } from './own-writes.ts';

export interface BootstrapOptions {
  readonly serviceRange: string;
  readonly securePort: number;
  /** PEM. */
  readonly clientAuthority: string;
  readonly authorizationModes: readonly string[];
}

const AUTO_UPDATE = 'rbac.authorization.kubernetes.io/autoupdate';
/** Writes under way at a time while the policy is laid down. */
const WORKERS = 16;
const RBAC = 'rbac.authorization.k8s.io';

type Step = () => Promise<unknown>;

/** What a cluster has before anyone asks for anything. Safe to run on every start, and on several servers at once. */
export async function bootstrap(server: Apiserver, options: BootstrapOptions): Promise<void> {
  const { registry, kinds } = server;
  const create =
    (group: string, resource: string, object: ApiObject): Step =>
    () =>
      createIfMissing(registry, kinds, group, resource, object);
  await all(systemNamespaces.map((namespace) => create('', 'namespaces', namespace)));
  const range = parseIpRange(options.serviceRange);
  await all([
    ...policy(server, options.authorizationModes),
    ...systemPriorityClasses.map((item) => create('scheduling.k8s.io', 'priorityclasses', item)),
    () => publishService(server, kubernetesService(addressAt(range, 1), options.securePort)),
    create('networking.k8s.io', 'servicecidrs', serviceCidr(options.serviceRange)),
    () => publishAuthority(server, options.clientAuthority),
  ]);
}

function policy(server: Apiserver, modes: readonly string[]): readonly Step[] {
  const extra = modes.includes('Node') ? [] : bootstrapPolicy.withoutNodeAuthorizer;
  return [
    ...bootstrapPolicy.clusterRoles.map((role) => () => reconcileRole(server, role)),
    ...[...bootstrapPolicy.clusterRoleBindings, ...extra].map((binding) => () => reconcileBinding(server, binding)),
    ...bootstrapPolicy.roles.map((role) => () => createIfMissing(server.registry, server.kinds, RBAC, 'roles', role)),
    ...bootstrapPolicy.roleBindings.map(
      (binding) => () => createIfMissing(server.registry, server.kinds, RBAC, 'rolebindings', binding),
    ),
  ];
}

/** Upstream's rule: what is missing is added, what someone added is kept, unless autoupdate is off. */
async function reconcileRole({ registry, kinds }: Apiserver, wanted: ClusterRole): Promise<void> {
  if (await createIfMissing(registry, kinds, RBAC, 'clusterroles', wanted)) {
    return;
  }
  await changeExisting(registry, kinds, RBAC, 'clusterroles', '', wanted.metadata?.name ?? '', (object) => {
    const role = object as ClusterRole;
    if (role.metadata?.annotations?.[AUTO_UPDATE] !== 'true' || role.aggregationRule !== undefined) {
      return undefined;
    }
    const missing = uncovered(role.rules ?? [], wanted.rules ?? []);
    return missing.length === 0 ? undefined : { ...role, rules: [...(role.rules ?? []), ...missing] };
  });
}

async function reconcileBinding({ registry, kinds }: Apiserver, wanted: ClusterRoleBinding): Promise<void> {
  if (await createIfMissing(registry, kinds, RBAC, 'clusterrolebindings', wanted)) {
    return;
  }
  await changeExisting(registry, kinds, RBAC, 'clusterrolebindings', '', wanted.metadata?.name ?? '', (object) => {
    const binding = object as ClusterRoleBinding;
    if (binding.metadata?.annotations?.[AUTO_UPDATE] !== 'true') {
      return undefined;
    }
    const present = binding.subjects ?? [];
    const missing = (wanted.subjects ?? []).filter(
      ({ kind, name, namespace }) =>
        !present.some((subject) => subject.kind === kind && subject.name === name && subject.namespace === namespace),
    );
    return missing.length === 0 ? undefined : { ...binding, subjects: [...present, ...missing] };
  });
}

/** A cluster whose API servers moved to another port must not keep the Service that names the old one. */
async function publishService({ registry, kinds }: Apiserver, wanted: Service): Promise<void> {
  if (await createIfMissing(registry, kinds, '', 'services', wanted)) {
    return;
  }
  const { namespace = '', name = '' } = wanted.metadata ?? {};
  await changeExisting(registry, kinds, '', 'services', namespace, name, (object) => {
    const { spec, ...rest } = object as Service;
    const same = jsonEqual(spec?.ports as unknown as Json, wanted.spec?.ports as unknown as Json);
    return same ? undefined : ({ ...rest, spec: { ...spec, ports: wanted.spec?.ports } } as ApiObject);
  });
}

async function publishAuthority({ registry, kinds }: Apiserver, authority: string): Promise<void> {
  const wanted = extensionAuthentication(authority) as ConfigMap;
  if (await createIfMissing(registry, kinds, '', 'configmaps', wanted)) {
    return;
  }
  const { namespace = '', name = '' } = wanted.metadata ?? {};
  await changeExisting(registry, kinds, '', 'configmaps', namespace, name, (object) => {
    const present = object as ConfigMap;
    return present.data?.['client-ca-file'] === authority
      ? undefined
      : ({ ...present, data: { ...present.data, 'client-ca-file': authority } } as ApiObject);
  });
}

async function all(steps: readonly Step[]): Promise<void> {
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < steps.length) {
      const step = steps[next];
      next += 1;
      await step?.();
    }
  };
  await Promise.all(Array.from({ length: WORKERS }, work));
}
