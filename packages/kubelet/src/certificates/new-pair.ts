// Keys, requests and the certificate that a node makes for itself. The library is large and seldom needed: whoever
// wants this file imports it when the time has come. It looks its parts up through reflection metadata.
import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import type { Random } from '@wherry/daemon';
import type { CertificateTemplate } from '../plan/certificate-rotation.ts';
import type { Pair } from './pair.ts';

const curve = { name: 'ECDSA', namedCurve: 'P-256' } as const;
const signature = { name: 'ECDSA', hash: 'SHA-256' } as const;
const YEAR_MS = 365 * 24 * 3_600_000;
/** Certificates begin a little earlier than now, for hosts whose clocks are behind. */
const CLOCK_SKEW_MS = 5 * 60_000;
const SERIAL_BYTES = 16;

/** A new key, and a PKCS#10 request for it (PEM). */
export async function newRequest(
  template: CertificateTemplate,
): Promise<{ readonly request: string; readonly key: string }> {
  const keys = await newKeys();
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: subjectOf(template),
    keys,
    signingAlgorithm: signature,
    extensions: namesOf(template),
  });
  return { request: `${request.toString('pem')}\n`, key: await keyPem(keys) };
}

/** What a node serves with until somebody whom others trust has signed something better. */
export async function newSelfSigned(template: CertificateTemplate, nowMs: number, random: Random): Promise<Pair> {
  const keys = await newKeys();
  const serial = random.bytes(SERIAL_BYTES);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: Buffer.from(serial.with(0, ((serial[0] ?? 0) & 0x7f) | 0x40)).toString('hex'),
    name: subjectOf(template),
    keys,
    notBefore: new Date(nowMs - CLOCK_SKEW_MS),
    notAfter: new Date(nowMs + YEAR_MS),
    signingAlgorithm: signature,
    extensions: [
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      ...namesOf(template),
    ],
  });
  return { cert: `${certificate.toString('pem')}\n`, key: await keyPem(keys) };
}

function subjectOf({ organization, commonName }: CertificateTemplate): x509.JsonName {
  return [{ O: [organization] }, { CN: [commonName] }];
}

function namesOf({ ipAddresses }: CertificateTemplate): x509.Extension[] {
  if (ipAddresses.length === 0) return [];
  return [new x509.SubjectAlternativeNameExtension(ipAddresses.map((value) => ({ type: 'ip', value })))];
}

function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(curve, true, ['sign', 'verify']);
}

async function keyPem(keys: webcrypto.CryptoKeyPair): Promise<string> {
  return `${x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY')}\n`;
}
