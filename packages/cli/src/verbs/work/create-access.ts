import { type ApiObject, resources, type TokenRequest } from '@wherry/api';
import { parseDuration } from '@wherry/daemon';
import type { Context } from '../../context.ts';
import type { Discovery } from '../../kube/discovery.ts';
import { parseLabelPairs } from '../../kube/label-pairs.ts';
import { withSession } from '../../kube/session.ts';
import { VerbError } from '../../kube/verb-error.ts';
import { parseOutput, printObjects } from '../../printers/printer.ts';
import type { CreateFlags } from '../create.ts';
import { createOne } from './create.ts';

const RBAC = 'rbac.authorization.k8s.io';

interface RoleFlags extends CreateFlags {
  readonly verb?: readonly string[];
  readonly resource?: readonly string[];
  readonly resourceName?: readonly string[];
  readonly nonResourceUrl?: readonly string[];
  readonly aggregationRule?: string;
}

export async function createRole(
  context: Context,
  kind: 'Role' | 'ClusterRole',
  name: string,
  flags: RoleFlags,
): Promise<void> {
  const object = { apiVersion: `${RBAC}/v1`, kind, metadata: { name } };
  if (flags.aggregationRule !== undefined) {
    const matchLabels = parseLabelPairs(flags.aggregationRule.split(','));
    await createOne(context, flags, {
      ...object,
      aggregationRule: { clusterRoleSelectors: [{ matchLabels }] },
      rules: [],
    } as ApiObject);
    return;
  }
  const verbs = flags.verb?.includes('*') === true ? ['*'] : (flags.verb ?? []);
  if (verbs.length === 0) throw new VerbError('at least one verb must be specified');
  if (flags.resource === undefined && flags.nonResourceUrl === undefined) {
    throw new VerbError(
      kind === 'Role'
        ? 'at least one resource must be specified'
        : 'one of resource or nonResourceURL must be specified',
    );
  }
  const types = flags.resource ?? [];
  const groups =
    types.length === 0 ? [] : await withSession(context, flags, ({ discovery }) => groupsOf(types, discovery));
  const names = flags.resourceName === undefined ? {} : { resourceNames: flags.resourceName };
  const rules = [
    ...groups.map(([group, members]) => ({ apiGroups: [group], resources: members, ...names, verbs })),
    ...(flags.nonResourceUrl === undefined ? [] : [{ nonResourceURLs: flags.nonResourceUrl, verbs }]),
  ];
  await createOne(context, flags, { ...object, rules } as ApiObject);
}

/** Types by the group they belong to, in their order. */
async function groupsOf(
  types: readonly string[],
  discovery: Discovery,
): Promise<readonly (readonly [string, readonly string[]])[]> {
  const found = await Promise.all(
    types.map(async (type) => {
      if (type === '*') return { group: '*', resource: '*' };
      const [name = '', subresource] = type.split('/');
      const { group, resource } = await discovery.find(name);
      return { group, resource: subresource === undefined ? resource : `${resource}/${subresource}` };
    }),
  );
  return [...Map.groupBy(found, ({ group }) => group)].map(([group, members]) => [
    group,
    members.map(({ resource }) => resource),
  ]);
}

interface BindingFlags {
  readonly role?: string;
  readonly clusterrole?: string;
  readonly user?: readonly string[];
  readonly group?: readonly string[];
  readonly serviceaccount?: readonly string[];
}

export const roleBinding = (name: string, flags: BindingFlags): ApiObject => binding('RoleBinding', name, flags);
export const clusterRoleBinding = (name: string, flags: BindingFlags): ApiObject =>
  binding('ClusterRoleBinding', name, flags);

function binding(kind: string, name: string, flags: BindingFlags): ApiObject {
  if ((flags.role === undefined) === (flags.clusterrole === undefined)) {
    throw new VerbError(
      kind === 'RoleBinding' ? 'exactly one of clusterrole or role must be specified' : 'clusterrole must be specified',
    );
  }
  const subjects = [
    ...(flags.user ?? []).map((user) => ({ apiGroup: RBAC, kind: 'User', name: user })),
    ...(flags.group ?? []).map((group) => ({ apiGroup: RBAC, kind: 'Group', name: group })),
    ...(flags.serviceaccount ?? []).map((account) => {
      const [namespace = '', own = ''] = account.split(':');
      if (namespace === '' || own === '') throw new VerbError('serviceaccount must be <namespace>:<name>');
      return { kind: 'ServiceAccount', name: own, namespace };
    }),
  ];
  const roleRef = {
    apiGroup: RBAC,
    kind: flags.role === undefined ? 'ClusterRole' : 'Role',
    name: flags.role ?? flags.clusterrole ?? '',
  };
  return {
    apiVersion: `${RBAC}/v1`,
    kind,
    metadata: { name },
    roleRef,
    ...(subjects.length === 0 ? {} : { subjects }),
  } as ApiObject;
}

interface TokenFlags extends CreateFlags {
  readonly duration?: string;
  readonly audience?: readonly string[];
}

export function createToken(context: Context, name: string, flags: TokenFlags): Promise<void> {
  const ms = flags.duration === undefined ? undefined : parseDuration(flags.duration);
  if (flags.duration !== undefined && (ms === undefined || ms <= 0)) {
    throw new VerbError(`invalid argument "${flags.duration}" for "--duration": must be a duration such as 10m`);
  }
  return withSession(context, flags, async ({ client, discovery, namespace }) => {
    const request: ApiObject = {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: { audiences: flags.audience, expirationSeconds: ms === undefined ? undefined : Math.ceil(ms / 1000) },
    } as ApiObject;
    const answer = await client.create<ApiObject>(resources.serviceaccounts, request, {
      namespace,
      name,
      subresource: 'token',
    });
    const format = parseOutput(flags.output);
    const resource = await discovery.find('serviceaccounts');
    if (format.kind === 'table') context.terminal.out((answer as TokenRequest).status?.token ?? '');
    else await context.terminal.write(printObjects(format, [{ resource, object: answer }], true));
  });
}
