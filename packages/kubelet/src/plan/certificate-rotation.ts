// When a certificate is to be renewed, and whether it still is what the node needs.

/** What a node wants to be known as. */
export interface CertificateTemplate {
  readonly commonName: string;
  readonly organization: string;
  readonly ipAddresses: readonly string[];
}

/** What a certificate says; times in milliseconds since the epoch. */
export interface CertificateFacts {
  readonly commonName: string;
  readonly organizations: readonly string[];
  readonly ipAddresses: readonly string[];
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** Nodes that were made together would otherwise all renew together: between 70 and 90 % of the life (upstream's). */
const LIFE_SHARE_MIN = 0.7;
const LIFE_SHARE_SPREAD = 0.2;

/**
 * The instant at which to renew a certificate; the past when it is missing or not what is wanted.
 * @param luck uniform in [0, 1), drawn once for each certificate
 */
export function renewAtMs(
  certificate: CertificateFacts | undefined,
  template: CertificateTemplate,
  luck: number,
): number {
  if (certificate === undefined || !satisfies(certificate, template)) return Number.NEGATIVE_INFINITY;
  const { notBeforeMs, notAfterMs } = certificate;
  return notBeforeMs + (notAfterMs - notBeforeMs) * (LIFE_SHARE_MIN + LIFE_SHARE_SPREAD * luck);
}

/** More than is wanted does no harm. */
function satisfies(certificate: CertificateFacts, template: CertificateTemplate): boolean {
  return (
    certificate.commonName === template.commonName &&
    certificate.organizations.includes(template.organization) &&
    template.ipAddresses.every((address) => certificate.ipAddresses.includes(address))
  );
}
