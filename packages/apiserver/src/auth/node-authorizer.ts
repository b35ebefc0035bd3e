import { exactFieldValue, type Pod, type PodSpec, type PolicyRule, resources, type Volume } from '@wherry/api';
import type { ObjectReader } from '../cache/object-reader.ts';
import type { AuthorizationAttributes, Authorizer, Decision } from './attributes.ts';
import { nodeOf } from './identity.ts';
import type { RbacAuthorizer } from './rbac.ts';
import { ruleAllows } from './rbac-rules.ts';

const noOpinion = (reason: string): Decision => ({ kind: 'noOpinion', reason });
const allowed: Decision = { kind: 'allow', reason: '' };
const readVerbs = new Set(['get', 'list', 'watch']);

/**
 * What kubelets may do: the rules of ClusterRole system:node, but secrets, configmaps, claims and tokens only of pods
 * on their own node, and of nodes and pods only their own (upstream's Node authorizer with selectors, KEP-4601).
 */
export class NodeAuthorizer implements Authorizer {
  readonly #reader: ObjectReader;
  readonly #rbac: RbacAuthorizer;
  /** Node → keys of the pods bound to it. */
  readonly #pods = new Map<string, Set<string>>();

  constructor(reader: ObjectReader, rbac: RbacAuthorizer) {
    this.#reader = reader;
    this.#rbac = rbac;
    reader.onChange(resources.pods, (event) => {
      const key = `${event.entry.namespace}/${event.entry.name}`;
      const before = event.previous?.attributes.fields['spec.nodeName'] ?? '';
      const now = event.current?.attributes.fields['spec.nodeName'] ?? '';
      if (before !== '' && before !== now) {
        this.#pods.get(before)?.delete(key);
      }
      if (now !== '') {
        const keys = this.#pods.get(now) ?? new Set();
        this.#pods.set(now, keys);
        keys.add(key);
      }
    });
  }

  authorize(attributes: AuthorizationAttributes): Decision {
    const node = nodeOf(attributes.user);
    if (node === undefined) {
      return noOpinion('');
    }
    if (attributes.isResourceRequest) {
      const special = this.#special(attributes, node);
      if (special !== undefined) {
        return special;
      }
    }
    const rules: readonly PolicyRule[] =
      this.#rbac.rulesOfRole({ apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'system:node' }, '') ??
      [];
    return rules.some((rule) => ruleAllows(rule, attributes)) ? allowed : noOpinion('');
  }

  /** Undefined: nothing special, the role decides. */
  #special(attributes: AuthorizationAttributes, node: string): Decision | undefined {
    const { group, resource, subresource, verb } = attributes;
    switch (`${group}/${resource}`) {
      case '/secrets':
      case '/configmaps':
      case '/persistentvolumeclaims':
        return subresource === 'status' ? undefined : this.#related(attributes, node);
      case '/persistentvolumes':
        return readVerbs.has(verb) ? this.#relatedVolume(attributes, node) : undefined;
      case '/serviceaccounts':
        return subresource === 'token' && verb === 'create' ? this.#relatedAccount(attributes, node) : undefined;
      case '/nodes':
        return subresource === '' && readVerbs.has(verb) ? ownNode(attributes, node) : undefined;
      case '/pods':
        return this.#ownPods(attributes, node);
      case 'coordination.k8s.io/leases':
        return ownLease(attributes, node);
      case 'storage.k8s.io/csinodes':
        return attributes.name === '' || attributes.name === node
          ? undefined
          : noOpinion('can only access CSINode with the same name as the requesting node');
      default:
        return undefined;
    }
  }

  #related(attributes: AuthorizationAttributes, node: string): Decision {
    const { verb, name, namespace, resource } = attributes;
    if (!readVerbs.has(verb)) {
      return noOpinion('can only read resources of this type');
    }
    if (name === '' || namespace === '') {
      return noOpinion('No Object name found');
    }
    for (const pod of this.#podsOf(node)) {
      if (pod.metadata?.namespace === namespace && references(pod, resource, name)) {
        return allowed;
      }
    }
    return noOpinion(`no relationship found between node '${node}' and this object`);
  }

  #relatedVolume(attributes: AuthorizationAttributes, node: string): Decision {
    const volume = this.#reader.read(resources.persistentvolumes, '', attributes.name);
    const claim = volume?.spec?.claimRef;
    for (const pod of claim === undefined ? [] : this.#podsOf(node)) {
      if (
        pod.metadata?.namespace === claim?.namespace &&
        references(pod, 'persistentvolumeclaims', claim?.name ?? '')
      ) {
        return allowed;
      }
    }
    return noOpinion(`no relationship found between node '${node}' and this object`);
  }

  #relatedAccount(attributes: AuthorizationAttributes, node: string): Decision {
    for (const pod of this.#podsOf(node)) {
      if (pod.metadata?.namespace === attributes.namespace && pod.spec?.serviceAccountName === attributes.name) {
        return allowed;
      }
    }
    return noOpinion(`no relationship found between node '${node}' and this object`);
  }

  #ownPods(attributes: AuthorizationAttributes, node: string): Decision | undefined {
    const { verb, name, subresource, namespace } = attributes;
    if (subresource !== '' || !readVerbs.has(verb)) {
      return undefined;
    }
    if (verb === 'get') {
      return this.#pods.get(node)?.has(`${namespace}/${name}`) === true
        ? allowed
        : noOpinion(`no relationship found between node '${node}' and this object`);
    }
    return exactFieldValue(attributes.fields, 'spec.nodeName') === node
      ? allowed
      : noOpinion('can only list/watch pods with spec.nodeName field selector');
  }

  *#podsOf(node: string): Generator<Pod> {
    for (const key of this.#pods.get(node) ?? []) {
      const slash = key.indexOf('/');
      const pod = this.#reader.read(resources.pods, key.slice(0, slash), key.slice(slash + 1));
      if (pod !== undefined) {
        yield pod;
      }
    }
  }
}

function ownNode(attributes: AuthorizationAttributes, node: string): Decision {
  return attributes.name === node
    ? allowed
    : noOpinion(`node '${node}' cannot read '${attributes.name}', only its own Node object`);
}

function ownLease(attributes: AuthorizationAttributes, node: string): Decision {
  const { verb, namespace, name } = attributes;
  if (namespace !== 'kube-node-lease') {
    return noOpinion('can only access leases in the "kube-node-lease" system namespace');
  }
  return verb === 'create' || name === node
    ? allowed
    : noOpinion('can only access node lease with the same name as the requesting node');
}

function references(pod: Pod, resource: string, name: string): boolean {
  const { spec } = pod;
  if (spec === undefined) {
    return false;
  }
  switch (resource) {
    case 'secrets':
      return (
        (spec.imagePullSecrets ?? []).some((reference) => reference.name === name) ||
        (spec.volumes ?? []).some((volume) => volumeUsesSecret(volume, name)) ||
        environmentUses(spec, 'secretRef', 'secretKeyRef', name)
      );
    case 'configmaps':
      return (
        (spec.volumes ?? []).some((volume) => volumeUsesConfigMap(volume, name)) ||
        environmentUses(spec, 'configMapRef', 'configMapKeyRef', name)
      );
    default:
      return (spec.volumes ?? []).some(
        (volume) =>
          volume.persistentVolumeClaim?.claimName === name ||
          (volume.ephemeral !== undefined && `${pod.metadata?.name ?? ''}-${volume.name}` === name),
      );
  }
}

function volumeUsesSecret(volume: Volume, name: string): boolean {
  return (
    volume.secret?.secretName === name ||
    (volume.projected?.sources ?? []).some((source) => source.secret?.name === name) ||
    volume.csi?.nodePublishSecretRef?.name === name
  );
}

function volumeUsesConfigMap(volume: Volume, name: string): boolean {
  return (
    volume.configMap?.name === name ||
    (volume.projected?.sources ?? []).some((source) => source.configMap?.name === name)
  );
}

function environmentUses(
  spec: PodSpec,
  whole: 'secretRef' | 'configMapRef',
  key: 'secretKeyRef' | 'configMapKeyRef',
  name: string,
): boolean {
  const containers = [...spec.containers, ...(spec.initContainers ?? []), ...(spec.ephemeralContainers ?? [])];
  return containers.some(
    (container) =>
      (container.envFrom ?? []).some((source) => source[whole]?.name === name) ||
      (container.env ?? []).some((variable) => variable.valueFrom?.[key]?.name === name),
  );
}
