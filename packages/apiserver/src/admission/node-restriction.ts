import { forbidden, type Lease, type Node, type Pod, resources, type StatusError } from '@wherry/api';
import { nodeOf } from '../auth/identity.ts';
import type { ObjectReader } from '../cache/object-reader.ts';
import type { AdmissionAttributes, AdmissionPlugin } from './chain.ts';

const MIRROR_ANNOTATION = 'kubernetes.io/config.mirror';
const RESTRICTED_LABEL = /(^|\.)node-restriction\.kubernetes\.io\//;
const LEASE_NAMESPACE = 'kube-node-lease';

/** A kubelet writes only its own Node, Lease and pods (the Node authorizer cannot see bodies). */
export function nodeRestriction(reader: ObjectReader): AdmissionPlugin {
  return {
    name: 'NodeRestriction',
    validate(attributes) {
      const node = nodeOf(attributes.user);
      if (node === undefined) {
        return;
      }
      const { group, resource } = attributes.stored;
      switch (`${group}/${resource}`) {
        case '/nodes':
          return checkNode(attributes, node);
        case '/pods':
          return checkPod(attributes, node, reader);
        case 'coordination.k8s.io/leases':
          return checkLease(attributes, node);
        default:
      }
    },
  };
}

function refuse(attributes: AdmissionAttributes, text: string): StatusError {
  return forbidden(attributes.stored, attributes.name, text);
}

function checkNode(attributes: AdmissionAttributes, node: string): void {
  const name = attributes.object?.metadata?.name ?? attributes.name;
  if (name !== node) {
    throw refuse(attributes, `node ${JSON.stringify(node)} is not allowed to modify node ${JSON.stringify(name)}`);
  }
  if (attributes.operation === 'DELETE' || attributes.subresource !== '') {
    return;
  }
  const next = attributes.object as Node;
  const old = attributes.old as Node | undefined;
  const changed = Object.keys({ ...next.metadata?.labels, ...old?.metadata?.labels }).filter(
    (label) => RESTRICTED_LABEL.test(label) && next.metadata?.labels?.[label] !== old?.metadata?.labels?.[label],
  );
  if (changed.length > 0) {
    throw refuse(attributes, `is not allowed to modify labels: ${changed.sort().join(', ')}`);
  }
  if (old !== undefined && JSON.stringify(old.spec?.taints ?? []) !== JSON.stringify(next.spec?.taints ?? [])) {
    throw refuse(attributes, `node ${JSON.stringify(node)} is not allowed to modify taints`);
  }
}

function checkPod(attributes: AdmissionAttributes, node: string, reader: ObjectReader): void {
  const { operation, subresource } = attributes;
  if (operation === 'CREATE' && subresource === '') {
    const pod = attributes.object as Pod;
    if (pod.metadata?.annotations?.[MIRROR_ANNOTATION] === undefined) {
      throw refuse(
        attributes,
        `pod does not have ${JSON.stringify(MIRROR_ANNOTATION)} annotation, node ${JSON.stringify(node)} can only create mirror pods`,
      );
    }
    if (pod.spec?.nodeName !== node) {
      throw refuse(attributes, `node ${JSON.stringify(node)} can only create pods with spec.nodeName set to itself`);
    }
    return;
  }
  const bound =
    (attributes.old as Pod | undefined) ?? reader.read(resources.pods, attributes.namespace, attributes.name);
  if (bound !== undefined && bound.spec?.nodeName !== node) {
    const verb = subresource === 'status' ? 'update status for' : 'modify';
    throw refuse(
      attributes,
      `node ${JSON.stringify(node)} can only ${operation === 'DELETE' ? 'delete' : verb} pods with spec.nodeName set to itself`,
    );
  }
}

function checkLease(attributes: AdmissionAttributes, node: string): void {
  const lease = attributes.object as Lease | undefined;
  const name = lease?.metadata?.name ?? attributes.name;
  if (attributes.namespace !== LEASE_NAMESPACE) {
    throw refuse(attributes, `can only access leases in the ${JSON.stringify(LEASE_NAMESPACE)} system namespace`);
  }
  if (name !== node) {
    throw refuse(attributes, 'can only access node lease with the same name as the requesting node');
  }
}
