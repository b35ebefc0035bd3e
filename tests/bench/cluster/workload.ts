import { type Deployment, resources } from '@wherry/api';
import type { ApiClient } from '@wherry/client';

const NAMESPACE = 'default';

export interface Workload {
  readonly name: string;
  readonly image: string;
  readonly replicas: number;
  readonly command?: readonly string[];
}

export function deployment({ name, image, replicas, command }: Workload): Deployment {
  return {
    metadata: { name, namespace: NAMESPACE },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: { containers: [{ name: 'main', image, imagePullPolicy: 'Never', ...(command && { command }) }] },
      },
    },
  };
}

/** Creates it and watches its pods. @returns milliseconds until the watch has shown all of them Running */
export async function createAndWatch(client: ApiClient, workload: Workload): Promise<number> {
  const watch = await watchPods(client, workload.name);
  const startMs = performance.now();
  await client.create(resources.deployments, deployment(workload));
  const running = new Set<string>();
  await watch(({ name, phase }) => {
    if (phase === 'Running') running.add(name);
    return running.size === workload.replicas;
  });
  return performance.now() - startMs;
}

/** Deletes it in the background, as `kubectl delete`. @returns milliseconds until the watch has shown all pods gone */
export async function deleteAndWatch(client: ApiClient, name: string): Promise<number> {
  const { items } = await client.list(resources.pods, { namespace: NAMESPACE, labelSelector: `app=${name}` });
  const left = new Set(items.map(({ metadata }) => metadata?.name ?? ''));
  const watch = await watchPods(client, name);
  const startMs = performance.now();
  await client.delete(resources.deployments, name, { namespace: NAMESPACE, propagationPolicy: 'Background' });
  await watch((pod) => {
    if (pod.gone) left.delete(pod.name);
    return left.size === 0;
  });
  return performance.now() - startMs;
}

interface SeenPod {
  readonly name: string;
  readonly phase: string | undefined;
  readonly gone: boolean;
}

/** Begins at the present, before anything is asked for. */
async function watchPods(
  client: ApiClient,
  app: string,
): Promise<(isDone: (pod: SeenPod) => boolean) => Promise<void>> {
  const selection = { namespace: NAMESPACE, labelSelector: `app=${app}` };
  const { metadata } = await client.list(resources.pods, selection);
  return async (isDone) => {
    const from = metadata?.resourceVersion;
    const events = client.watch(resources.pods, { ...selection, ...(from !== undefined && { resourceVersion: from }) });
    for await (const { type, object } of events) {
      const seen = { name: object.metadata?.name ?? '', phase: object.status?.phase, gone: type === 'DELETED' };
      if (isDone(seen)) return;
    }
    throw new Error(`The watch of pods of ${app} ended`);
  };
}
