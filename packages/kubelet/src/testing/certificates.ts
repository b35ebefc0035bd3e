// Short-lived certificates for tests of the TLS port.
import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256' } as const;

export interface TestPair {
  readonly cert: string;
  readonly key: string;
}

export interface TestAuthority extends TestPair {
  issue(commonName: string, organization?: string): Promise<TestPair>;
  /** Signs what a PKCS#10 request (PEM) asks for. */
  sign(request: string, notBeforeMs: number, notAfterMs: number): Promise<string>;
}

async function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
}

async function keyPem(keys: webcrypto.CryptoKeyPair): Promise<string> {
  return x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY');
}

export async function testAuthority(): Promise<TestAuthority> {
  const keys = await newKeys();
  const signingAlgorithm = { name: 'ECDSA', hash: 'SHA-256' };
  const authority = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: '01',
    name: 'CN=test-ca',
    keys,
    signingAlgorithm,
    extensions: [new x509.BasicConstraintsExtension(true, undefined, true)],
  });
  let serial = 1;
  const issue = async (commonName: string, organization?: string): Promise<TestPair> => {
    const own = await newKeys();
    serial++;
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: serial.toString(16).padStart(2, '0'),
      subject: organization === undefined ? `CN=${commonName}` : `O=${organization}, CN=${commonName}`,
      issuer: authority.subject,
      publicKey: own.publicKey,
      signingKey: keys.privateKey,
      signingAlgorithm,
      extensions: [new x509.SubjectAlternativeNameExtension([{ type: 'ip', value: '127.0.0.1' }])],
    });
    return { cert: certificate.toString('pem'), key: await keyPem(own) };
  };
  const sign = async (text: string, notBeforeMs: number, notAfterMs: number): Promise<string> => {
    const request = new x509.Pkcs10CertificateRequest(text);
    if (!(await request.verify())) throw new Error('its key has not signed the request');
    serial++;
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: serial.toString(16).padStart(2, '0'),
      subject: request.subject,
      issuer: authority.subject,
      notBefore: new Date(notBeforeMs),
      notAfter: new Date(notAfterMs),
      publicKey: await request.publicKey.export(),
      signingKey: keys.privateKey,
      signingAlgorithm,
      extensions: request.extensions.filter((extension) => extension instanceof x509.SubjectAlternativeNameExtension),
    });
    return certificate.toString('pem');
  };
  return { cert: authority.toString('pem'), key: await keyPem(keys), issue, sign };
}
