import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { CertificateFacts } from '../plan/certificate-rotation.ts';

/** A certificate and its key, as PEM. */
export interface Pair {
  readonly cert: string;
  readonly key: string;
}

/** A pair that was read and fits together. */
export interface KnownPair extends Pair {
  readonly facts: CertificateFacts;
}

/** @throws when either part cannot be read, or they do not belong together */
export function readPair(pair: Pair): KnownPair {
  const certificate = new X509Certificate(pair.cert);
  if (!certificate.checkPrivateKey(createPrivateKey(pair.key)))
    throw new Error('the key does not belong to the certificate');
  const subject = certificate.subject.split('\n');
  const all = (name: string): readonly string[] =>
    subject.filter((line) => line.startsWith(`${name}=`)).map((line) => line.slice(name.length + 1));
  const names = certificate.subjectAltName?.split(', ') ?? [];
  return {
    ...pair,
    facts: {
      commonName: all('CN')[0] ?? '',
      organizations: all('O'),
      ipAddresses: names.filter((name) => name.startsWith('IP Address:')).map((name) => name.slice(11)),
      notBeforeMs: Date.parse(certificate.validFrom),
      notAfterMs: Date.parse(certificate.validTo),
    },
  };
}

const certificateBlock = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----\n?/g;
const keyBlock = /-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----[\s\S]+?-----END (?:[A-Z]+ )?PRIVATE KEY-----\n?/;

/** Takes apart a file that holds both. @throws when it lacks one */
export function splitPair(pem: string): Pair {
  const cert = pem.match(certificateBlock)?.join('');
  const key = keyBlock.exec(pem)?.[0];
  if (cert === undefined || key === undefined) throw new Error('it does not hold a certificate and its key');
  return { cert, key };
}
