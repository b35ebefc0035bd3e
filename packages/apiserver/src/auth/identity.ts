/** Who makes a request. */
export interface UserInfo {
  readonly name: string;
  readonly uid: string;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

export const groups = {
  authenticated: 'system:authenticated',
  unauthenticated: 'system:unauthenticated',
  masters: 'system:masters',
  nodes: 'system:nodes',
  serviceAccounts: 'system:serviceaccounts',
} as const;

export const anonymous: UserInfo = {
  name: 'system:anonymous',
  uid: '',
  groups: [groups.unauthenticated],
  extra: {},
};

const SERVICE_ACCOUNT_PREFIX = 'system:serviceaccount:';
const NODE_PREFIX = 'system:node:';

export function serviceAccountUser(namespace: string, name: string): string {
  return `${SERVICE_ACCOUNT_PREFIX}${namespace}:${name}`;
}

export function serviceAccountGroups(namespace: string): readonly string[] {
  return [groups.serviceAccounts, `${groups.serviceAccounts}:${namespace}`];
}

export function parseServiceAccountUser(name: string): { namespace: string; name: string } | undefined {
  if (!name.startsWith(SERVICE_ACCOUNT_PREFIX)) {
    return undefined;
  }
  const [namespace, account, ...rest] = name.slice(SERVICE_ACCOUNT_PREFIX.length).split(':');
  return namespace && account && rest.length === 0 ? { namespace, name: account } : undefined;
}

/** The node that a kubelet's identity stands for. */
export function nodeOf(user: UserInfo): string | undefined {
  return user.name.startsWith(NODE_PREFIX) && user.groups.includes(groups.nodes)
    ? user.name.slice(NODE_PREFIX.length)
    : undefined;
}
