import {
  type ApiObject,
  type ConfigMap,
  controllerOf,
  type EndpointSlice,
  type Endpoints,
  type Node,
  objectKey,
  type Pod,
  type Resource,
  resources,
} from '@wherry/api';
import type { Informer, InformerFactory, InformerOptions } from '@wherry/client';
import { projectPod } from '../pods/projection.ts';

/** Names of the indexes that owners' caches have. */
export const BY_CONTROLLER = 'controller';
export const BY_NAMESPACE = 'namespace';
/** Objects without a controller, by namespace. */
export const ORPHANS = 'orphans';
export const BY_NODE = 'node';
export const BY_SERVICE = 'service';
/** Pods that hold the Job tracking finalizer, by the key of their Job (or by namespace when they have none). */
export const BY_TRACKING_JOB = 'trackingJob';

export const JOB_TRACKING_FINALIZER = 'batch.kubernetes.io/job-tracking';

const byController = (object: ApiObject): readonly string[] => {
  const uid = controllerOf(object.metadata)?.uid;
  return uid === undefined ? [] : [uid];
};
const byNamespace = (object: ApiObject): readonly string[] => [object.metadata?.namespace ?? ''];
const orphans = (object: ApiObject): readonly string[] =>
  controllerOf(object.metadata) === undefined ? [object.metadata?.namespace ?? ''] : [];
const owned = { [BY_CONTROLLER]: byController, [ORPHANS]: orphans };

/**
 * The process's one informer of each resource, made when the first controller asks for it. Caches hold projections:
 * never write a whole cached pod, node, config map or secret back, patch it.
 */
export class Caches {
  readonly #factory: InformerFactory;
  readonly #made = new Map<string, Informer<ApiObject>>();

  constructor(factory: InformerFactory) {
    this.#factory = factory;
  }

  get pods(): Informer<Pod> {
    return this.of(resources.pods);
  }

  /** The shared cache of a resource. */
  of<T extends ApiObject>(resource: Resource<T>): Informer<T> {
    const key = `${resource.group}/${resource.resource}`;
    const known = this.#made.get(key);
    if (known !== undefined) return known as unknown as Informer<T>;
    const options = CACHED[key] as unknown as InformerOptions<T> | undefined;
    const made = this.#factory.informer(resource, options ?? { project: metadataOnly });
    this.#made.set(key, made as unknown as Informer<ApiObject>);
    return made;
  }
}

/** What is kept of resources whose content controllers read; of all others only metadata is kept. */
const CACHED: Readonly<Record<string, InformerOptions<never>>> = {
  ...cached(resources.pods, {
    project: projectPod,
    indexers: {
      ...owned,
      [BY_NAMESPACE]: byNamespace,
      [BY_NODE]: (pod) => (pod.spec?.nodeName ? [pod.spec.nodeName] : []),
      [BY_TRACKING_JOB]: trackingJob,
    },
  }),
  ...cached(resources.nodes, { project: projectNode }),
  ...cached(resources.namespaces, {}),
  ...cached(resources.services, { indexers: { [BY_NAMESPACE]: byNamespace } }),
  ...cached(resources.endpoints, { project: (endpoints: Endpoints) => endpoints }),
  ...cached(resources.endpointslices, { indexers: { [BY_SERVICE]: byService } }),
  ...cached(resources.serviceaccounts, {}),
  ...cached(resources.resourcequotas, { indexers: { [BY_NAMESPACE]: byNamespace } }),
  ...cached(resources.persistentvolumeclaims, { indexers: { [BY_NAMESPACE]: byNamespace } }),
  ...cached(resources.persistentvolumes, {}),
  ...cached(resources.configmaps, {
    // Only the published CA and what hosts that join are told is ever read.
    project: (map) => (isRead(map) ? map : metadataOnly(map)),
  }),
  ...cached(resources.replicasets, { indexers: owned }),
  ...cached(resources.replicationcontrollers, { indexers: { [BY_NAMESPACE]: byNamespace } }),
  ...cached(resources.deployments, {}),
  ...cached(resources.statefulsets, {}),
  ...cached(resources.daemonsets, { indexers: { [BY_NAMESPACE]: byNamespace } }),
  ...cached(resources.controllerrevisions, { indexers: owned }),
  ...cached(resources.jobs, { indexers: owned }),
  ...cached(resources.cronjobs, {}),
  ...cached(resources.leases, {
    project: (lease) => (lease.metadata?.namespace === 'kube-node-lease' ? lease : metadataOnly(lease)),
  }),
  ...cached(resources.poddisruptionbudgets, { indexers: { [BY_NAMESPACE]: byNamespace } }),
  ...cached(resources.clusterroles, {}),
  ...cached(resources.certificatesigningrequests, {}),
  ...cached(resources.secrets, {
    // Secret data stays out of this process, but for the tokens it must look after.
    project: (secret) =>
      secret.type === 'bootstrap.kubernetes.io/token' || secret.type === 'kubernetes.io/service-account-token'
        ? secret
        : metadataOnly(secret),
  }),
};

function cached<T extends ApiObject>(
  resource: Resource<T>,
  options: InformerOptions<T>,
): Record<string, InformerOptions<never>> {
  return { [`${resource.group}/${resource.resource}`]: options as unknown as InformerOptions<never> };
}

function isRead({ metadata }: ConfigMap): boolean {
  const { namespace, name } = metadata ?? {};
  return name === 'kube-root-ca.crt' || (namespace === 'kube-public' && name === 'cluster-info');
}

function metadataOnly<T extends ApiObject>(object: T): T {
  return { metadata: object.metadata } as T;
}

function projectNode(node: Node): Node {
  if (node.status?.images === undefined) return node;
  const { images: _, ...status } = node.status;
  return { ...node, status };
}

function byService(slice: EndpointSlice): readonly string[] {
  const service = slice.metadata?.labels?.['kubernetes.io/service-name'];
  return service === undefined ? [] : [`${slice.metadata?.namespace ?? ''}/${service}`];
}

function trackingJob(pod: Pod): readonly string[] {
  if (pod.metadata?.finalizers?.includes(JOB_TRACKING_FINALIZER) !== true) return [];
  const controller = controllerOf(pod.metadata);
  const namespace = pod.metadata.namespace ?? '';
  return [
    controller?.kind === 'Job' ? `${namespace}/${controller.name}` : objectKey({ metadata: { name: namespace } }),
  ];
}
