import {
  type ApiObject,
  type CertificateSigningRequest,
  forbidden,
  type Node,
  notFound,
  type PersistentVolumeClaim,
  type Pod,
  type ResourceSlice,
  resources,
  type StatusError,
  type TokenRequest,
} from '@wherry/api';
import { nodeOf } from '../auth/identity.ts';
import type { ObjectReader } from '../cache/object-reader.ts';
import { sameValue } from '../kinds/equality.ts';
import { requestedSubject } from './certificate-request.ts';
import type { AdmissionAttributes, AdmissionPlugin } from './chain.ts';
import { checkMirrorPod } from './mirror-pod.ts';
import { changedLabels, isForbiddenNodeLabel } from './node-labels.ts';

const LEASE_NAMESPACE = 'kube-node-lease';
const KUBELET_SIGNERS = new Set(['kubernetes.io/kubelet-serving', 'kubernetes.io/kube-apiserver-client-kubelet']);

type Check = (attributes: AdmissionAttributes, node: string, reader: ObjectReader) => void;

const checks: Readonly<Record<string, Check>> = {
  '/pods': checkPod,
  '/nodes': checkNode,
  '/persistentvolumeclaims': checkClaim,
  '/serviceaccounts': checkToken,
  'coordination.k8s.io/leases': checkLease,
  'storage.k8s.io/csinodes': checkCsiNode,
  'resource.k8s.io/resourceslices': checkSlice,
  'certificates.k8s.io/certificatesigningrequests': checkRequest,
};

/** A kubelet writes only what is its node's (the Node authorizer cannot see bodies). */
export function nodeRestriction(reader: ObjectReader): AdmissionPlugin {
  const check = (attributes: AdmissionAttributes): void => {
    const node = nodeOf(attributes.user);
    if (node !== undefined) {
      checks[`${attributes.stored.group}/${attributes.stored.resource}`]?.(attributes, node, reader);
    }
  };
  return {
    name: 'NodeRestriction',
    resources: Object.keys(checks),
    admit(attributes, object) {
      check(attributes);
      return object;
    },
    validate(attributes) {
      if (attributes.operation === 'DELETE') {
        check(attributes);
      }
    },
  };
}

/** With the name of the URL, or of what is made. */
function refuse(attributes: AdmissionAttributes, text: string): StatusError {
  return forbidden(attributes.stored, nameOf(attributes), text);
}

function nameOf({ object, name, subresource }: AdmissionAttributes): string {
  return subresource === '' ? (object?.metadata?.name ?? name) : name;
}

function quote(text: string): string {
  return JSON.stringify(text);
}

function checkPod(attributes: AdmissionAttributes, node: string, reader: ObjectReader): void {
  const { operation, subresource, old } = attributes;
  const isOwn = (pod: Pod | undefined): boolean => pod?.spec?.nodeName === node;
  switch (subresource) {
    case '':
      if (operation === 'UPDATE') {
        throw refuse(
          attributes,
          `unexpected operation "UPDATE", node ${quote(node)} can only create and delete mirror pods`,
        );
      }
      if (operation === 'CREATE') {
        const problem = checkMirrorPod(attributes.object as Pod, node, reader.read(resources.nodes, '', node));
        if (problem !== undefined) {
          throw refuse(attributes, problem);
        }
      } else if (!isOwn(old as Pod)) {
        throw refuse(attributes, `node ${quote(node)} can only delete pods with spec.nodeName set to itself`);
      }
      return;
    case 'status':
      checkPodStatus(attributes, node);
      return;
    case 'eviction':
      if (old === undefined) {
        throw notFound(resources.pods, attributes.name);
      }
      if (!isOwn(old as Pod)) {
        throw refuse(attributes, `node ${node} can only evict pods with spec.nodeName set to itself`);
      }
      return;
    default:
      throw refuse(
        attributes,
        `unexpected pod subresource ${quote(subresource)}, only 'status' and 'eviction' are allowed`,
      );
  }
}

function checkPodStatus(attributes: AdmissionAttributes, node: string): void {
  const old = attributes.old as Pod;
  const next = attributes.object as Pod;
  if (old.spec?.nodeName !== node) {
    throw refuse(
      attributes,
      `node ${quote(node)} can only update pod status for pods with spec.nodeName set to itself`,
    );
  }
  if (!sameValue(old.metadata?.labels ?? {}, next.metadata?.labels ?? {})) {
    throw refuse(attributes, `node ${quote(node)} cannot update labels through pod status`);
  }
  if (!sameValue(old.status?.resourceClaimStatuses ?? [], next.status?.resourceClaimStatuses ?? [])) {
    throw refuse(attributes, `node ${quote(node)} cannot update resource claim statues`);
  }
}

function checkNode(attributes: AdmissionAttributes, node: string): void {
  const name = nameOf(attributes);
  if (name !== node) {
    throw refuse(attributes, `node ${quote(node)} is not allowed to modify node ${quote(name)}`);
  }
  const next = attributes.object as Node | undefined;
  const old = attributes.old as Node | undefined;
  if (next === undefined) {
    return;
  }
  const labels = changedLabels(next.metadata?.labels, old?.metadata?.labels).filter(isForbiddenNodeLabel);
  if (attributes.operation === 'CREATE') {
    if (next.spec?.configSource !== undefined) {
      throw refuse(attributes, `node ${quote(node)} is not allowed to create pods with a non-nil configSource`);
    }
    if (labels.length > 0) {
      throw refuse(attributes, `node ${quote(node)} is not allowed to set the following labels: ${labels.join(', ')}`);
    }
    return;
  }
  const source = next.spec?.configSource;
  if (source !== undefined && !sameValue(source, old?.spec?.configSource)) {
    throw refuse(attributes, `node ${quote(node)} is not allowed to update configSource to a new non-nil configSource`);
  }
  if (!sameValue(old?.spec?.taints ?? [], next.spec?.taints ?? [])) {
    throw refuse(attributes, `node ${quote(node)} is not allowed to modify taints`);
  }
  if (labels.length > 0) {
    throw refuse(attributes, `is not allowed to modify labels: ${labels.join(', ')}`);
  }
}

/** Only how large the volume has become, and how that went. */
function checkClaim(attributes: AdmissionAttributes, node: string): void {
  const { subresource, operation } = attributes;
  if (subresource !== 'status') {
    throw refuse(attributes, 'may only update PVC status');
  }
  if (operation !== 'UPDATE' || !sameValue(bareClaim(attributes.old), bareClaim(attributes.object))) {
    throw refuse(
      attributes,
      `node ${quote(node)} is not allowed to update fields other than status.capacity and status.conditions`,
    );
  }
}

function bareClaim(object: ApiObject | undefined): object {
  const { metadata = {}, status = {}, ...rest } = (object ?? {}) as PersistentVolumeClaim;
  const { resourceVersion: _revision, managedFields: _managed, ...kept } = metadata;
  const {
    capacity: _capacity,
    conditions: _conditions,
    allocatedResources: _allocated,
    allocatedResourceStatuses: _statuses,
    ...stays
  } = status;
  return { ...rest, metadata: kept, status: stays };
}

/** A token is for a pod that runs here. */
function checkToken(attributes: AdmissionAttributes, node: string, reader: ObjectReader): void {
  if (attributes.subresource !== 'token' || attributes.operation !== 'CREATE') {
    return;
  }
  const reference = (attributes.object as TokenRequest).spec.boundObjectRef;
  const { apiVersion, kind, name = '', uid = '' } = reference ?? {};
  if (apiVersion !== 'v1' || kind !== 'Pod' || name === '') {
    throw refuse(attributes, 'node requested token not bound to a pod');
  }
  if (uid === '') {
    throw refuse(attributes, 'node requested token with a pod binding without a uid');
  }
  const pod = reader.read(resources.pods, attributes.namespace, name);
  if (pod === undefined) {
    throw notFound(resources.pods, name);
  }
  if (uid !== pod.metadata?.uid) {
    throw refuse(
      attributes,
      `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`,
    );
  }
  if (pod.spec?.nodeName !== node) {
    throw refuse(attributes, 'node requested token bound to a pod scheduled on a different node');
  }
}

function checkLease(attributes: AdmissionAttributes, node: string): void {
  if (attributes.namespace !== LEASE_NAMESPACE) {
    throw refuse(attributes, `can only access leases in the ${quote(LEASE_NAMESPACE)} system namespace`);
  }
  if (nameOf(attributes) !== node) {
    throw refuse(attributes, 'can only access node lease with the same name as the requesting node');
  }
}

function checkCsiNode(attributes: AdmissionAttributes, node: string): void {
  if (nameOf(attributes) !== node) {
    throw refuse(attributes, 'can only access CSINode with the same name as the requesting node');
  }
}

function checkSlice(attributes: AdmissionAttributes, node: string): void {
  const { operation, object, old } = attributes;
  const nodeName = (slice: ApiObject | undefined): string | undefined => (slice as ResourceSlice)?.spec.nodeName;
  if (operation === 'CREATE' && nodeName(object) !== node) {
    throw refuse(attributes, 'can only create ResourceSlice with the same NodeName as the requesting node');
  }
  if (operation === 'DELETE' && nodeName(old) !== node) {
    throw refuse(attributes, 'can only delete ResourceSlice with the same NodeName as the requesting node');
  }
}

function checkRequest(attributes: AdmissionAttributes): void {
  const { spec } = (attributes.object ?? {}) as CertificateSigningRequest;
  if (attributes.operation !== 'CREATE' || attributes.subresource !== '' || !KUBELET_SIGNERS.has(spec.signerName)) {
    return;
  }
  const wanted = attributes.user.name;
  let commonName: string;
  try {
    ({ commonName } = requestedSubject(spec.request));
  } catch (error) {
    throw refuse(attributes, `unable to parse csr: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (commonName !== wanted) {
    throw refuse(attributes, `can only create a node CSR with CN=${wanted}`);
  }
}
