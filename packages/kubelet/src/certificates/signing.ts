import { type CertificateSigningRequest, resources } from '@wherry/api';
import type { ApiClient } from '@wherry/client';
import type { Clock } from '@wherry/daemon';

/** So long is waited for somebody's approval before a new request is made (upstream's). */
const WAIT_MS_MAX = 15 * 60_000;
const LOOK_MS_MIN = 100;
const LOOK_MS_MAX = 5_000;

export interface SigningWish {
  /** PKCS#10, PEM. */
  readonly request: string;
  readonly signerName: string;
  readonly usages: readonly string[];
}

/**
 * Asks the cluster to sign, and waits until it has.
 * @returns the certificate, PEM
 * @throws StatusError when the server refuses the request; Error when it is denied, failed or forgotten
 */
export async function requestCertificate(
  client: ApiClient,
  wish: SigningWish,
  clock: Clock,
  signal: AbortSignal,
): Promise<string> {
  const request: CertificateSigningRequest = {
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'CertificateSigningRequest',
    metadata: { generateName: 'csr-' },
    spec: {
      request: Buffer.from(wish.request).toString('base64'),
      signerName: wish.signerName,
      usages: wish.usages,
    },
  };
  const created = await client.create(resources.certificatesigningrequests, request, { signal });
  const name = created.metadata?.name ?? '';
  const deadlineMs = clock.monotonicMs() + WAIT_MS_MAX;
  for (let waitMs = LOOK_MS_MIN; ; waitMs = Math.min(waitMs * 2, LOOK_MS_MAX)) {
    const seen = await client.get(resources.certificatesigningrequests, name, { signal });
    const refusal = seen.status?.conditions?.find(({ type }) => type === 'Denied' || type === 'Failed');
    if (refusal !== undefined) {
      const { type, reason = '', message = '' } = refusal;
      throw new Error(`certificate signing request ${name} is ${type.toLowerCase()}: ${reason}: ${message}`);
    }
    const { certificate } = seen.status ?? {};
    if (certificate) return Buffer.from(certificate, 'base64').toString('utf8');
    if (clock.monotonicMs() > deadlineMs)
      throw new Error(`certificate signing request ${name} was not signed in ${WAIT_MS_MAX / 60_000} minutes`);
    await clock.sleep(waitMs, signal);
  }
}
