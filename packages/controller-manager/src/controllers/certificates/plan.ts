import type { CertificateSigningRequest, CertificateSigningRequestCondition } from '@wherry/api';
import { timeMs } from '../../pods/readiness.ts';

const HOUR_MS = 3_600_000;
/** How long a request is kept, by what became of it (upstream's). */
const KEPT_MS = { pending: 24 * HOUR_MS, approved: HOUR_MS, denied: HOUR_MS, failed: HOUR_MS } as const;
/** The shortest life that a certificate may be asked for (upstream's). */
const DURATION_MS_MIN = 600_000;

export const KUBELET_SERVING = 'kubernetes.io/kubelet-serving';
export const NODE_PREFIX = 'system:node:';
const NODE_GROUP = 'system:nodes';

/** What a PKCS#10 request asks for. */
export interface RequestedSubject {
  readonly commonName: string;
  readonly organizations: readonly string[];
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
  readonly emailAddresses: readonly string[];
  readonly uris: readonly string[];
}

/** Signers whose requests the cluster's own CA signs. */
const SIGNERS: ReadonlySet<string> = new Set([
  'kubernetes.io/kube-apiserver-client',
  'kubernetes.io/kube-apiserver-client-kubelet',
  'kubernetes.io/kubelet-serving',
  'kubernetes.io/legacy-unknown',
]);

export type State = keyof typeof KEPT_MS;

export function stateOf(request: CertificateSigningRequest): State {
  const has = (type: string) => request.status?.conditions?.some((condition) => condition.type === type) ?? false;
  if (has('Denied')) return 'denied';
  if (has('Failed')) return 'failed';
  return has('Approved') ? 'approved' : 'pending';
}

/** Milliseconds until a request is to be deleted, 0 when it is time. */
export function keptForMs(request: CertificateSigningRequest, nowMs: number): number {
  const state = stateOf(request);
  const told = request.status?.conditions?.map(({ lastUpdateTime }) => timeMs(lastUpdateTime) ?? 0) ?? [];
  const created = timeMs(request.metadata?.creationTimestamp) ?? nowMs;
  const since = state === 'pending' || told.length === 0 ? created : Math.max(...told);
  return Math.max(0, since + KEPT_MS[state] - nowMs);
}

export function isToBeSigned(request: CertificateSigningRequest): boolean {
  const { certificate = '' } = request.status ?? {};
  return stateOf(request) === 'approved' && certificate === '' && SIGNERS.has(request.spec.signerName);
}

/**
 * What a kubelet's request may be approved as without a human, if its sender has the right: subresources of
 * certificatesigningrequests. `selfnodeserver` is ours (upstream had it once), see `servingRequest`.
 */
export type KubeletRequest = 'selfnodeclient' | 'nodeclient' | 'selfnodeserver';

/** In the order in which rights are asked for: a kubelet that may not renew may still have a bootstrapper's right. */
export function kubeletRequests(
  request: CertificateSigningRequest,
  subject: RequestedSubject,
): readonly KubeletRequest[] {
  if (request.spec.signerName !== 'kubernetes.io/kube-apiserver-client-kubelet') return [];
  if (refusal(request, subject) !== undefined) return [];
  return request.spec.username === subject.commonName ? ['selfnodeclient', 'nodeclient'] : ['nodeclient'];
}

/** What is known of the addresses that a serving certificate may name. */
export interface KnownAddresses {
  /** Of the node, as its Node object says. */
  readonly own: readonly string[];
  /** Whose certificate nobody else may have: API servers', other nodes'. */
  readonly others: ReadonlySet<string>;
}

/**
 * Whether a kubelet asks for a certificate to serve with, under no other names than its own addresses. What a node says
 * of its addresses is its own word, so it may not be an address by which anybody else is known. Names are never
 * approved: nobody here can tell whose they are.
 */
export function isOwnServingRequest(
  request: CertificateSigningRequest,
  subject: RequestedSubject,
  known: KnownAddresses,
): boolean {
  if (request.spec.signerName !== KUBELET_SERVING || request.spec.username !== subject.commonName) return false;
  if (refusal(request, subject) !== undefined || subject.dnsNames.length > 0) return false;
  return subject.ipAddresses.every((address) => known.own.includes(address) && !known.others.has(address));
}

const approvedAs: Readonly<Record<KubeletRequest, string>> = {
  selfnodeclient: 'self kubelet client certificate',
  nodeclient: 'kubelet client certificate',
  selfnodeserver: 'self kubelet server certificate',
};

export function approval(kind: KubeletRequest, now: string): CertificateSigningRequestCondition {
  const message = `Auto approving ${approvedAs[kind]} after SubjectAccessReview.`;
  return { type: 'Approved', status: 'True', reason: 'AutoApproved', message, lastUpdateTime: now };
}

export function refused(message: string, now: string): CertificateSigningRequestCondition {
  return {
    type: 'Failed',
    status: 'True',
    reason: 'SignerValidationFailure',
    message,
    lastUpdateTime: now,
    lastTransitionTime: now,
  };
}

/** Why a signer may not sign this; undefined when it may. */
export function refusal(request: CertificateSigningRequest, subject: RequestedSubject): string | undefined {
  const usages = request.spec.usages ?? [];
  switch (request.spec.signerName) {
    case 'kubernetes.io/kube-apiserver-client':
      return usageProblem(usages, 'client auth', false);
    case 'kubernetes.io/kube-apiserver-client-kubelet': {
      const { dnsNames, ipAddresses, emailAddresses, uris } = subject;
      if (dnsNames.length > 0) return 'DNS subjectAltNames are not allowed';
      if (emailAddresses.length > 0) return 'Email subjectAltNames are not allowed';
      if (ipAddresses.length > 0) return 'IP subjectAltNames are not allowed';
      if (uris.length > 0) return 'URI subjectAltNames are not allowed';
      return nodeProblem(subject) ?? usageProblem(usages, 'client auth', true);
    }
    case 'kubernetes.io/kubelet-serving': {
      const { dnsNames, ipAddresses, emailAddresses, uris } = subject;
      if (dnsNames.length + ipAddresses.length === 0) return 'DNS or IP subjectAltName is required';
      if (emailAddresses.length > 0) return 'Email subjectAltNames are not allowed';
      if (uris.length > 0) return 'URI subjectAltNames are not allowed';
      return nodeProblem(subject) ?? usageProblem(usages, 'server auth', true);
    }
    default:
      return undefined;
  }
}

function nodeProblem({ commonName, organizations }: RequestedSubject): string | undefined {
  if (organizations.length !== 1 || organizations[0] !== NODE_GROUP) return 'subject organization is not system:nodes';
  return commonName.startsWith(NODE_PREFIX) ? undefined : 'subject common name does not begin with system:node:';
}

function usageProblem(usages: readonly string[], needed: string, exact: boolean): string | undefined {
  const allowed = new Set(['digital signature', 'key encipherment', needed]);
  if (!usages.includes(needed) || (exact && !usages.includes('digital signature'))) {
    return `usages did not match ${[...allowed].join(', ')}`;
  }
  return usages.every((usage) => allowed.has(usage)) ? undefined : `usages did not match ${[...allowed].join(', ')}`;
}

/**
 * Life of the certificate; never beyond the CA's own.
 * @param msMax --cluster-signing-duration
 */
export function durationMs(request: CertificateSigningRequest, msMax: number): number {
  const { expirationSeconds } = request.spec;
  const askedMs = expirationSeconds === undefined ? msMax : expirationSeconds * 1000;
  return askedMs >= msMax ? msMax : Math.max(askedMs, DURATION_MS_MIN);
}
