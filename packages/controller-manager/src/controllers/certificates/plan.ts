import type { CertificateSigningRequest, CertificateSigningRequestCondition } from '@wherry/api';
import { timeMs } from '../../pods/readiness.ts';

const HOUR_MS = 3_600_000;
/** How long a request is kept, by what became of it (upstream's). */
const KEPT_MS = { pending: 24 * HOUR_MS, approved: HOUR_MS, denied: HOUR_MS, failed: HOUR_MS } as const;
/** Life of a certificate when the request does not say, and the shortest it may ask for. */
const DURATION_SECONDS_DEFAULT = 365 * 24 * 3600;
const DURATION_SECONDS_MIN = 600;

const NODE_PREFIX = 'system:node:';
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

/** A kubelet's request for its own client certificate, which may be approved without a human. */
export type KubeletRequest = 'selfnodeclient' | 'nodeclient';

export function kubeletRequest(
  request: CertificateSigningRequest,
  subject: RequestedSubject,
): KubeletRequest | undefined {
  if (request.spec.signerName !== 'kubernetes.io/kube-apiserver-client-kubelet') return undefined;
  if (refusal(request, subject) !== undefined) return undefined;
  return request.spec.username === subject.commonName ? 'selfnodeclient' : 'nodeclient';
}

export function approval(kind: KubeletRequest, now: string): CertificateSigningRequestCondition {
  const what = kind === 'selfnodeclient' ? 'self kubelet client certificate' : 'kubelet client certificate';
  const message = `Auto approving ${what} after SubjectAccessReview.`;
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

/** Life of the certificate; never beyond the CA's own. */
export function durationMs(request: CertificateSigningRequest): number {
  const asked = request.spec.expirationSeconds ?? DURATION_SECONDS_DEFAULT;
  return Math.min(Math.max(asked, DURATION_SECONDS_MIN), DURATION_SECONDS_DEFAULT) * 1000;
}
