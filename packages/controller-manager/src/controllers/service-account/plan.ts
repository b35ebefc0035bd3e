import type { Namespace, ServiceAccount } from '@wherry/api';

/** Every active namespace has an account of this name, for pods that ask for none. */
export const DEFAULT_ACCOUNT = 'default';

/** The account to create, if the namespace lacks it. */
export function planServiceAccount(
  namespace: Namespace,
  existing: ServiceAccount | undefined,
): ServiceAccount | undefined {
  if (existing !== undefined || !isActive(namespace)) return undefined;
  return { metadata: { name: DEFAULT_ACCOUNT, namespace: namespace.metadata?.name ?? '' } };
}

export function isActive(namespace: Namespace): boolean {
  return namespace.metadata?.deletionTimestamp === undefined && namespace.status?.phase !== 'Terminating';
}
