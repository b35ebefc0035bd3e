import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { CertificateWish } from './wish.ts';

export interface Pair {
  readonly cert: string;
  readonly key: string;
}

export type Verdict = { readonly fits: true } | { readonly fits: false; readonly reason: string };

/** A certificate is made anew when less of its life is left than this. */
export const RENEW_BEFORE_END_MS = 30 * 24 * 3_600_000;

/**
 * Says whether a pair on disk still does what is wished for: same subject, every name, signed by this authority, key
 * and certificate belong together, and not about to end. More names than wished for are fine.
 */
export function examine(
  wish: CertificateWish,
  pair: Pair | undefined,
  issuer: string | undefined,
  nowMs: number,
): Verdict {
  if (pair === undefined) return { fits: false, reason: 'missing' };
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(pair.cert);
    if (!certificate.checkPrivateKey(createPrivateKey(pair.key)))
      return { fits: false, reason: 'key of another certificate' };
  } catch (error) {
    return { fits: false, reason: `unreadable: ${error instanceof Error ? error.message : String(error)}` };
  }
  const endMs = Date.parse(certificate.validTo);
  if (endMs <= nowMs) return { fits: false, reason: `expired ${certificate.validTo}` };
  if (endMs - nowMs < RENEW_BEFORE_END_MS) return { fits: false, reason: `ends soon (${certificate.validTo})` };
  if (issuer !== undefined && !isSignedBy(certificate, issuer))
    return { fits: false, reason: 'signed by another authority' };
  if (!sameSubject(certificate, wish)) return { fits: false, reason: 'other subject' };
  const lacking =
    wish.dnsNames.find((name) => certificate.checkHost(name) === undefined) ??
    wish.ipAddresses.find((address) => certificate.checkIP(address) === undefined);
  return lacking === undefined ? { fits: true } : { fits: false, reason: `lacks the name ${lacking}` };
}

/** When the certificate ends, in milliseconds since the epoch. */
export function endsAtMs(cert: string): number {
  return Date.parse(new X509Certificate(cert).validTo);
}

function isSignedBy(certificate: X509Certificate, issuer: string): boolean {
  const authority = new X509Certificate(issuer);
  return certificate.issuer === authority.subject && certificate.verify(authority.publicKey);
}

function sameSubject(certificate: X509Certificate, wish: CertificateWish): boolean {
  const lines = certificate.subject.split('\n').sort();
  const wanted = [`CN=${wish.commonName}`, ...wish.organizations.map((name) => `O=${name}`)].sort();
  return lines.length === wanted.length && lines.every((line, index) => line === wanted[index]);
}
