import 'reflect-metadata';
import { webcrypto, X509Certificate } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import { seededRandom } from '@wherry/daemon';
import { expect, it } from 'vitest';
import { CertificateAuthority, readRequest } from './certificate-authority.ts';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256' } as const;
const signing = { name: 'ECDSA', hash: 'SHA-256' } as const;
const newKeys = () => webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
const DAY_MS = 86_400_000;
const NOW_MS = Date.UTC(2025, 5, 1);

async function newAuthority() {
  const keys = await newKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=test-ca',
    keys,
    notBefore: new Date(NOW_MS - DAY_MS),
    notAfter: new Date(NOW_MS + 10 * DAY_MS),
    signingAlgorithm: signing,
    extensions: [new x509.BasicConstraintsExtension(true, undefined, true)],
  });
  const der = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
  return { cert: certificate.toString('pem'), key: x509.PemConverter.encode(der, 'PRIVATE KEY') };
}

it('reads a request and signs what it asks for, no longer than it lives itself', async () => {
  const wish = await x509.Pkcs10CertificateRequestGenerator.create({
    name: 'O=team, CN=me',
    keys: await newKeys(),
    signingAlgorithm: signing,
    extensions: [new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: 'me.example' }])],
  });
  const { request, subject } = await readRequest(wish.toString('pem'));
  expect(subject).toMatchObject({ commonName: 'me', organizations: ['team'], dnsNames: ['me.example'] });
  const pair = await newAuthority();
  const authority = await CertificateAuthority.load(pair, seededRandom(1));
  const pem = await authority.sign(request, ['digital signature', 'client auth'], NOW_MS, 365 * DAY_MS);
  const certificate = new X509Certificate(pem);
  expect(certificate.checkIssued(new X509Certificate(pair.cert))).toBe(true);
  expect(certificate.verify(new X509Certificate(pair.cert).publicKey)).toBe(true);
  expect(certificate.subject).toBe('O=team\nCN=me');
  expect(certificate.subjectAltName).toBe('DNS:me.example');
  expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2']);
  expect(Date.parse(certificate.validTo)).toBe(NOW_MS + 10 * DAY_MS);
});

it('refuses a request that its key has not signed', async () => {
  const wish = await x509.Pkcs10CertificateRequestGenerator.create({
    name: 'CN=me',
    keys: await newKeys(),
    signingAlgorithm: signing,
  });
  const bytes = new Uint8Array(wish.rawData);
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  await expect(readRequest(x509.PemConverter.encode(bytes, 'CERTIFICATE REQUEST'))).rejects.toThrow();
});
