import { allContainers, type Container, type Node, type Pod } from '@wherry/api';

const MIRROR_ANNOTATION = 'kubernetes.io/config.mirror';

/** Why a kubelet may not create the pod: it shows static pods, which are its own and refer to nothing in the API. */
export function checkMirrorPod(pod: Pod, node: string, present: Node | undefined): string | undefined {
  const quoted = JSON.stringify(node);
  if (pod.metadata?.annotations?.[MIRROR_ANNOTATION] === undefined) {
    return `pod does not have ${JSON.stringify(MIRROR_ANNOTATION)} annotation, node ${quoted} can only create mirror pods`;
  }
  if (pod.spec?.nodeName !== node) {
    return `node ${quoted} can only create pods with spec.nodeName set to itself`;
  }
  return ownerProblem(pod, node, present) ?? referenceProblem(pod, quoted);
}

function ownerProblem(pod: Pod, node: string, present: Node | undefined): string | undefined {
  const quoted = JSON.stringify(node);
  const [owner, ...others] = pod.metadata?.ownerReferences ?? [];
  if (others.length > 0) {
    return `node ${quoted} can only create pods with a single owner reference set to itself`;
  }
  if (owner === undefined || owner.apiVersion !== 'v1' || owner.kind !== 'Node' || owner.name !== node) {
    return `node ${quoted} can only create pods with an owner reference set to itself`;
  }
  if (owner.controller !== true) {
    return `node ${quoted} can only create pods with a controller owner reference set to itself`;
  }
  if (owner.blockOwnerDeletion === true) {
    return `node ${quoted} must not set blockOwnerDeletion on an owner reference`;
  }
  const uid = present?.metadata?.uid;
  if (uid === undefined) {
    return `error looking up node ${node} to verify uid: node ${quoted} not found`;
  }
  return owner.uid === uid ? undefined : `node ${node} UID mismatch: expected ${owner.uid} got ${uid}`;
}

function referenceProblem(pod: Pod, quoted: string): string | undefined {
  const may = (what: string): string => `node ${quoted} can not create pods that reference ${what}`;
  const { spec } = pod;
  const volumes = spec?.volumes ?? [];
  const sources = volumes.flatMap(({ projected }) => projected?.sources ?? []);
  const containers = [...allContainers(spec), ...((spec?.ephemeralContainers ?? []) as readonly Container[])];
  const variables = containers.flatMap(({ env }) => env ?? []);
  const whole = containers.flatMap(({ envFrom }) => envFrom ?? []);
  if ((spec?.serviceAccountName ?? '') !== '') {
    return may('a service account');
  }
  const hasSecrets =
    volumes.some((volume) => volume.secret !== undefined) ||
    sources.some(({ secret }) => secret !== undefined) ||
    variables.some(({ valueFrom }) => valueFrom?.secretKeyRef !== undefined) ||
    whole.some(({ secretRef }) => secretRef !== undefined) ||
    (spec?.imagePullSecrets ?? []).length > 0;
  if (hasSecrets) {
    return may('secrets');
  }
  const hasConfigMaps =
    volumes.some((volume) => volume.configMap !== undefined) ||
    sources.some(({ configMap }) => configMap !== undefined) ||
    variables.some(({ valueFrom }) => valueFrom?.configMapKeyRef !== undefined) ||
    whole.some(({ configMapRef }) => configMapRef !== undefined);
  if (hasConfigMaps) {
    return may('configmaps');
  }
  if (sources.some(({ clusterTrustBundle }) => clusterTrustBundle !== undefined)) {
    return may('clustertrustbundles');
  }
  return volumes.some((volume) => volume.persistentVolumeClaim !== undefined)
    ? may('persistentvolumeclaims')
    : undefined;
}
