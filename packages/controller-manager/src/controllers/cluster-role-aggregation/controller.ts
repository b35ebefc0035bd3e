import { objectKey, resources } from '@wherry/api';
import type { ControllerContext } from '../../spine/context.ts';
import { anyCache, Keyed } from '../../spine/keyed.ts';
import { aggregatedRules } from './plan.ts';

const WORKERS = 5;

export function startClusterRoleAggregation(context: ControllerContext): void {
  const { caches, client } = context;
  const roles = caches.of(resources.clusterroles);
  const keyed = new Keyed(context, 'clusterrole-aggregation-controller');
  // Any role may be a part of any aggregated one; there are few of these.
  keyed.follow(roles, () =>
    roles
      .list()
      .filter((role) => role.aggregationRule !== undefined)
      .map(objectKey),
  );
  keyed.run(WORKERS, [anyCache(roles)], async (name, signal) => {
    const role = roles.get(name);
    const rules = role === undefined ? undefined : aggregatedRules(role, roles.list());
    if (role === undefined || rules === undefined) return undefined;
    const patch = { metadata: { resourceVersion: role.metadata?.resourceVersion }, rules };
    const written = await client.patch(resources.clusterroles, name, patch, { signal });
    const { resourceVersion } = written.metadata ?? {};
    keyed.own.wrote(name, roles, resourceVersion);
    keyed.acted(name, [role], 'roles it selects have changed', [
      { verb: 'update', key: `clusterroles/${name}`, resourceVersion },
    ]);
    return undefined;
  });
}
