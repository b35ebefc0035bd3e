import { setTimeout as sleep } from 'node:timers/promises';
import {
  type DaemonSet,
  type Deployment,
  type EndpointSlice,
  type Node,
  type Pod,
  resources,
  type StatefulSet,
} from '@wherry/api';
import type { ApiClient } from '@wherry/client';
import type Docker from 'dockerode';
import type { Daemons } from '../inject/daemons.ts';
import { clusterName } from '../place.ts';

export interface Converging {
  readonly client: ApiClient;
  readonly daemons: Daemons;
  readonly docker: Docker;
  readonly namespace: string;
}

/** One of each of these leads. */
const ledKinds = ['store', 'scheduler', 'controller-manager'];
const CHECK_MS_MAX = 5_000;
const POLL_MS = 300;

/** It has to stay well for this long: a leader that is about to find out that it is none looks well for a moment. */
const STEADY_MS = 1_000;

/**
 * Waits until the cluster is as it should be. @returns how long that took after `sinceMs`
 * @throws with all that is not as it should be when it takes longer than `msMax`
 */
export async function converged(cluster: Converging, sinceMs: number, msMax = 60_000): Promise<number> {
  let wellSinceMs: number | undefined;
  for (;;) {
    const askedMs = Date.now();
    const problems = await unconverged(cluster);
    if (problems.length > 0) wellSinceMs = undefined;
    else wellSinceMs ??= askedMs;
    if (wellSinceMs !== undefined && askedMs - wellSinceMs >= STEADY_MS) return Math.max(0, wellSinceMs - sinceMs);
    if (askedMs - sinceMs > msMax + STEADY_MS)
      throw new Error(`not converged after ${msMax} ms: ${problems.join('; ')}`);
    await sleep(POLL_MS);
  }
}

/** All that is not as it should be. */
async function unconverged(cluster: Converging): Promise<readonly string[]> {
  try {
    const answers = await Promise.all([processes(cluster), objects(cluster)]);
    return answers.flat();
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}

async function processes({ daemons }: Converging): Promise<readonly string[]> {
  const unhealthy = await daemons.unhealthy();
  const leaders = await Promise.all(ledKinds.map((kind) => daemons.leaders(kind)));
  return [
    ...unhealthy.map((name) => `${name} is not healthy`),
    ...ledKinds.flatMap((kind, index) =>
      leaders[index]?.length === 1 ? [] : [`${leaders[index]?.length ?? 0} leaders of kind ${kind}`],
    ),
  ];
}

async function objects({ client, daemons, docker, namespace }: Converging): Promise<readonly string[]> {
  const signal = AbortSignal.timeout(CHECK_MS_MAX);
  const inNamespace = { namespace, signal };
  const [deployments, statefulSets, daemonSets, pods, slices, nodes, servers, containers] = await Promise.all([
    client.list(resources.deployments, inNamespace),
    client.list(resources.statefulsets, inNamespace),
    client.list(resources.daemonsets, inNamespace),
    client.list(resources.pods, { signal }),
    client.list(resources.endpointslices, inNamespace),
    client.list(resources.nodes, { signal }),
    client.get(resources.endpointslices, 'kubernetes', { namespace: 'default', signal }),
    docker.listContainers({ all: true, filters: { label: [`io.wherry.cluster=${clusterName}`] } }),
  ]);
  const own = pods.items.filter(({ metadata }) => metadata?.namespace === namespace);
  return [
    ...deployments.items.flatMap(deploymentProblems),
    ...statefulSets.items.flatMap(statefulSetProblems),
    ...daemonSets.items.flatMap(daemonSetProblems),
    ...pods.items.flatMap(podProblems),
    ...nodes.items.flatMap(nodeProblems),
    ...endpointProblems('web', own, slices.items),
    ...serverProblems(servers, daemons),
    ...containerProblems(pods.items, containers),
  ];
}

const nameOf = ({ metadata }: Pod | Deployment | Node): string => metadata?.name ?? '';

function deploymentProblems(deployment: Deployment): readonly string[] {
  const { spec, status, metadata } = deployment;
  const wanted = spec?.replicas ?? 1;
  const isThere =
    status?.observedGeneration === metadata?.generation &&
    status?.readyReplicas === wanted &&
    status?.replicas === wanted;
  return isThere ? [] : [`Deployment ${nameOf(deployment)} has ${status?.readyReplicas ?? 0} of ${wanted} ready`];
}

function statefulSetProblems({ metadata, spec, status }: StatefulSet): readonly string[] {
  const wanted = spec?.replicas ?? 1;
  return status?.readyReplicas === wanted
    ? []
    : [`StatefulSet ${metadata?.name} has ${status?.readyReplicas ?? 0} of ${wanted} ready`];
}

function daemonSetProblems({ metadata, status }: DaemonSet): readonly string[] {
  const wanted = status?.desiredNumberScheduled ?? 0;
  return wanted > 0 && status?.numberReady === wanted
    ? []
    : [`DaemonSet ${metadata?.name} has ${status?.numberReady ?? 0} of ${wanted} ready`];
}

const conditionOf = (object: Pod | Node, type: string): string | undefined =>
  object.status?.conditions?.find((condition) => condition.type === type)?.status;

function podProblems(pod: Pod): readonly string[] {
  if (pod.metadata?.deletionTimestamp !== undefined) return [`pod ${nameOf(pod)} is still ending`];
  return conditionOf(pod, 'Ready') === 'True' ? [] : [`pod ${nameOf(pod)} is ${pod.status?.phase} and not Ready`];
}

function nodeProblems(node: Node): readonly string[] {
  const taints = (node.spec?.taints ?? []).map(({ key }) => key);
  const problems = conditionOf(node, 'Ready') === 'True' ? [] : [`node ${nameOf(node)} is not Ready`];
  return taints.length === 0 ? problems : [...problems, `node ${nameOf(node)} has taints ${taints.join(', ')}`];
}

function endpointProblems(app: string, pods: readonly Pod[], slices: readonly EndpointSlice[]): readonly string[] {
  const ready = pods
    .filter((pod) => pod.metadata?.labels?.['app'] === app && conditionOf(pod, 'Ready') === 'True')
    .map(({ status }) => status?.podIP ?? '');
  const listed = slices
    .filter(({ metadata }) => metadata?.labels?.['kubernetes.io/service-name'] === app)
    .flatMap(({ endpoints }) => endpoints ?? [])
    .filter(({ conditions }) => conditions?.ready === true)
    .flatMap(({ addresses }) => addresses);
  return sameMembers(ready, listed) ? [] : [`endpoints of ${app} are ${listed}, ready pods are ${ready}`];
}

function serverProblems({ endpoints }: EndpointSlice, daemons: Daemons): readonly string[] {
  const listed = (endpoints ?? []).flatMap(({ addresses }) => addresses);
  const servers = daemons
    .all()
    .filter(({ kind }) => kind === 'apiserver')
    .map(({ addresses: [address = ''] }) => address.slice(0, address.lastIndexOf(':')));
  return sameMembers(listed, servers) ? [] : [`endpoints of kubernetes are ${listed}, API servers are ${servers}`];
}

/** Exactly one running sandbox for each pod, and one running container for each of its containers; no other runs. */
function containerProblems(pods: readonly Pod[], containers: readonly Docker.ContainerInfo[]): readonly string[] {
  const wanted = pods.flatMap(({ metadata, spec }) =>
    ['POD', ...(spec?.containers ?? []).map(({ name }) => name)].map((name) => `${metadata?.uid}/${name}`),
  );
  const known = new Set(pods.map(({ metadata }) => metadata?.uid));
  const ofPods = containers.filter(({ Labels }) => Labels['io.kubernetes.pod.uid'] !== undefined);
  const running = ofPods
    .filter(({ State }) => State === 'running')
    .map(({ Labels }) => `${Labels['io.kubernetes.pod.uid']}/${Labels['io.kubernetes.container.name']}`);
  const leftOver = ofPods.filter(({ Labels }) => !known.has(Labels['io.kubernetes.pod.uid']));
  return [
    ...(sameMembers(wanted, running) ? [] : [`${running.length} containers run where ${wanted.length} should`]),
    ...leftOver.map(({ Names }) => `container ${Names[0]} belongs to no pod`),
  ];
}

function sameMembers(one: readonly string[], other: readonly string[]): boolean {
  const [first, second] = [[...one].sort(), [...other].sort()];
  return first.length === second.length && first.every((member, index) => member === second[index]);
}
