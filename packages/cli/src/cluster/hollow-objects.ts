// What hollow nodes need of the API, and what is left of them when there are fewer.
import { type ClusterRole, type ClusterRoleBinding, isNotFound, resources } from '@wherry/api';
import type { ApiClient } from '@wherry/client';
import type { Context } from '../context.ts';
import { askProbe } from '../daemons/health.ts';
import { observeDaemons } from '../daemons/records.ts';
import { lastWords } from '../daemons/start.ts';
import { Failure } from '../failure.ts';
import type { ClusterConfig } from './config.ts';
import { hollowNodeNames, hollowUser, surplusNodes } from './hollow-nodes.ts';
import type { ClusterLayout } from './layout.ts';
import { adminClient } from './wait.ts';

const POLL_MS = 200;
/** Beside what each node is given. */
const READY_MS_MAX = 60_000;
const READY_MS_PER_NODE = 50;
/** Deletions at once. */
const AT_ONCE = 16;

/**
 * The process may see all nodes and pods and write events. Everything else it does in the names of its nodes, and of
 * no others: the Node authorizer and NodeRestriction then allow it what they allow each of these nodes' kubelets.
 */
function hollowRole(config: ClusterConfig): ClusterRole {
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name: hollowUser },
    rules: [
      { apiGroups: [''], resources: ['nodes', 'pods'], verbs: ['list', 'watch'] },
      { apiGroups: [''], resources: ['events'], verbs: ['create', 'patch', 'update'] },
      { apiGroups: [''], resources: ['groups'], resourceNames: ['system:nodes'], verbs: ['impersonate'] },
      {
        apiGroups: [''],
        resources: ['users'],
        resourceNames: hollowNodeNames(config).map((name) => `system:node:${name}`),
        verbs: ['impersonate'],
      },
    ],
  };
}

const hollowBinding: ClusterRoleBinding = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRoleBinding',
  metadata: { name: hollowUser },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: hollowUser },
  subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: hollowUser }],
};

/** Gives the process its rights, for as many nodes as it has now; without hollow nodes nobody has them. */
export async function ensureHollowRights(client: ApiClient, config: ClusterConfig, signal: AbortSignal): Promise<void> {
  if (config.hollowNodes === undefined) {
    await ignoreMissing(client.delete(resources.clusterrolebindings, hollowUser, { signal }));
    await ignoreMissing(client.delete(resources.clusterroles, hollowUser, { signal }));
    return;
  }
  const role = hollowRole(config);
  const patch = { rules: role.rules };
  try {
    await client.patch(resources.clusterroles, hollowUser, patch, { signal });
  } catch (error) {
    if (!isNotFound(error)) throw error;
    await client.create(resources.clusterroles, role, { signal });
    await client.create(resources.clusterrolebindings, hollowBinding, { signal });
  }
}

async function ignoreMissing(work: Promise<unknown>): Promise<boolean> {
  try {
    await work;
    return true;
  } catch (error) {
    if (!isNotFound(error)) throw error;
    return false;
  }
}

/**
 * Takes away nodes that nobody simulates any more, so that their pods are replaced elsewhere; also those that an earlier,
 * interrupted `up` left. @returns how many
 */
export async function removeSurplusNodes(
  layout: ClusterLayout,
  config: ClusterConfig,
  signal: AbortSignal,
): Promise<number> {
  const client = adminClient(layout);
  try {
    const { items } = await client.list(resources.nodes, { labelSelector: 'type=hollow', signal });
    const left = surplusNodes(
      items.map(({ metadata }) => metadata?.name ?? ''),
      config,
    );
    let removed = 0;
    const work = async (): Promise<void> => {
      for (let name = left.pop(); name !== undefined; name = left.pop()) {
        if (await ignoreMissing(client.delete(resources.nodes, name, { signal }))) removed++;
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    return removed;
  } finally {
    await client.close();
  }
}

/** Asks the process, which knows; listing a thousand nodes again and again would only slow them down. */
export async function waitForHollowNodes(
  context: Context,
  layout: ClusterLayout,
  report: (detail: string) => void,
): Promise<void> {
  const startMs = context.clock.monotonicMs();
  for (;;) {
    const daemon = observeDaemons(layout).find(({ record }) => record.spec.kind === 'hollow-nodes');
    if (daemon === undefined || daemon.state === 'gone') {
      throw new Failure(`hollow-nodes ended: ${await lastWords(layout, 'hollow-nodes')}`);
    }
    const answer = await askProbe(daemon.record.spec.probe, '/readyz');
    if (answer?.status === 200) return;
    const detail = /hollow-nodes failed: (\d+ of (\d+) .*)/.exec(answer?.body ?? '');
    if (detail !== null) report(detail[1] ?? '');
    const msMax = READY_MS_MAX + READY_MS_PER_NODE * Number(detail?.[2] ?? 0);
    if (context.clock.monotonicMs() - startMs > msMax) {
      throw new Failure(`Waited ${Math.round(msMax / 1000)} s for hollow nodes: ${detail?.[1] ?? 'no answer'}`);
    }
    await context.clock.sleep(POLL_MS, context.signal);
  }
}
