import { isAlreadyExists, resources } from '@wherry/api';
import type { ControllerContext } from '../../spine/context.ts';
import { anyCache, Keyed } from '../../spine/keyed.ts';
import { isNamespaceTerminating } from '../../spine/pod-actions.ts';
import { DEFAULT_ACCOUNT, planServiceAccount } from './plan.ts';

/** Keys are names of namespaces. */
export function startServiceAccounts(context: ControllerContext): void {
  const { client, caches } = context;
  const namespaces = caches.of(resources.namespaces);
  const accounts = caches.of(resources.serviceaccounts);
  const keyed = new Keyed(context, 'serviceaccount-controller');
  keyed.followOwn(namespaces);
  keyed.follow(accounts, ({ kind, object }) =>
    kind === 'deleted' && object.metadata?.name === DEFAULT_ACCOUNT ? [object.metadata.namespace] : [],
  );
  keyed.run(1, [anyCache(namespaces), anyCache(accounts)], async (name, signal) => {
    const namespace = namespaces.get(name);
    if (namespace === undefined) return undefined;
    const account = planServiceAccount(namespace, accounts.get(`${name}/${DEFAULT_ACCOUNT}`));
    if (account === undefined) return undefined;
    try {
      const created = await client.create(resources.serviceaccounts, account, { signal });
      const { resourceVersion } = created.metadata ?? {};
      keyed.own.wrote(name, accounts, resourceVersion);
      const key = `serviceaccounts/${name}/${DEFAULT_ACCOUNT}`;
      keyed.acted(name, [namespace], 'the namespace has no default account', [
        { verb: 'create', key, resourceVersion },
      ]);
    } catch (error) {
      if (!isAlreadyExists(error) && !isNamespaceTerminating(error)) throw error;
    }
    return undefined;
  });
}
