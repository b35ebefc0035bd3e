// The certificate library looks its parts up through reflection metadata, which must exist before it loads.
import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import type { Pair } from './examine.ts';
import type { CertificateWish } from './wish.ts';

export const AUTHORITY_DAYS = 3650;
export const CERTIFICATE_DAYS = 365;
/** Certificates begin a little earlier than now, for hosts whose clocks are behind. */
const CLOCK_SKEW_MS = 5 * 60_000;
const DAY_MS = 24 * 3_600_000;
const SERIAL_BYTES = 16;

const curve = { name: 'ECDSA', namedCurve: 'P-256' } as const;
const signature = { name: 'ECDSA', hash: 'SHA-256' } as const;

/** Something that can sign: an authority's certificate and its key. */
export interface Issuer {
  readonly certificate: x509.X509Certificate;
  readonly key: webcrypto.CryptoKey;
}

export async function loadIssuer(pair: Pair): Promise<Issuer> {
  const [der] = x509.PemConverter.decode(pair.key);
  if (der === undefined) throw new Error('Cannot read an authority: its key file holds no PEM block');
  return {
    certificate: new x509.X509Certificate(pair.cert),
    key: await webcrypto.subtle.importKey('pkcs8', der, curve, false, ['sign']),
  };
}

/** Makes a fresh key and a certificate for it; self-signed (an authority) when `issuer` is undefined. */
export async function issue(wish: CertificateWish, issuer: Issuer | undefined, nowMs: number): Promise<Pair> {
  const keys = await newKeys();
  const isAuthority = issuer === undefined;
  const extensions: x509.Extension[] = [
    new x509.BasicConstraintsExtension(isAuthority, undefined, true),
    new x509.KeyUsagesExtension(
      isAuthority
        ? x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign | x509.KeyUsageFlags.digitalSignature
        : x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment,
      true,
    ),
    await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    await x509.AuthorityKeyIdentifierExtension.create(issuer?.certificate.publicKey ?? keys.publicKey),
  ];
  if (wish.usages.length > 0) {
    const purposes = { server: x509.ExtendedKeyUsage.serverAuth, client: x509.ExtendedKeyUsage.clientAuth };
    extensions.push(new x509.ExtendedKeyUsageExtension(wish.usages.map((usage) => purposes[usage])));
  }
  const names = [
    ...wish.dnsNames.map((value) => ({ type: 'dns' as const, value })),
    ...wish.ipAddresses.map((value) => ({ type: 'ip' as const, value })),
  ];
  if (names.length > 0) extensions.push(new x509.SubjectAlternativeNameExtension(names));
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: newSerialNumber(),
    subject: [...wish.organizations.map((name) => ({ O: [name] })), { CN: [wish.commonName] }],
    issuer: issuer?.certificate.subjectName.toJSON() ?? [{ CN: [wish.commonName] }],
    notBefore: new Date(nowMs - CLOCK_SKEW_MS),
    notAfter: new Date(nowMs + (isAuthority ? AUTHORITY_DAYS : CERTIFICATE_DAYS) * DAY_MS),
    publicKey: keys.publicKey,
    signingKey: issuer?.key ?? keys.privateKey,
    signingAlgorithm: signature,
    extensions,
  });
  return { cert: `${certificate.toString('pem')}\n`, key: await privatePem(keys.privateKey) };
}

/** A key pair for signing service account tokens. */
export async function newSigningKeys(): Promise<{ readonly key: string; readonly pub: string }> {
  const keys = await newKeys();
  const pub = x509.PemConverter.encode(await webcrypto.subtle.exportKey('spki', keys.publicKey), 'PUBLIC KEY');
  return { key: await privatePem(keys.privateKey), pub: `${pub}\n` };
}

function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(curve, true, ['sign', 'verify']);
}

async function privatePem(key: webcrypto.CryptoKey): Promise<string> {
  return `${x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY')}\n`;
}

/** Positive and unpredictable, as RFC 5280 asks. */
function newSerialNumber(): string {
  const bytes = webcrypto.getRandomValues(new Uint8Array(SERIAL_BYTES));
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return Buffer.from(bytes).toString('hex');
}
