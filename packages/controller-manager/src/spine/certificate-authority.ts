// The certificate library looks its parts up through reflection metadata, which must exist before it loads.
import 'reflect-metadata';
import { createPrivateKey, webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import type { Random } from '@wherry/daemon';
import type { RequestedSubject } from '../controllers/certificates/plan.ts';

/** Certificates begin a little earlier than now, for hosts whose clocks are behind. */
const CLOCK_SKEW_MS = 5 * 60_000;
/** Of certificates that live shorter than this, the time before now is not taken off at the end (upstream's). */
const SHORT_LIFE_MS = 8 * 3_600_000;
const SERIAL_BYTES = 16;

const KEY_USAGES: Readonly<Record<string, x509.KeyUsageFlags>> = {
  'digital signature': x509.KeyUsageFlags.digitalSignature,
  signing: x509.KeyUsageFlags.digitalSignature,
  'content commitment': x509.KeyUsageFlags.nonRepudiation,
  'key encipherment': x509.KeyUsageFlags.keyEncipherment,
  'data encipherment': x509.KeyUsageFlags.dataEncipherment,
  'key agreement': x509.KeyUsageFlags.keyAgreement,
};
const EXTENDED_USAGES: Readonly<Record<string, string>> = {
  'client auth': x509.ExtendedKeyUsage.clientAuth,
  'server auth': x509.ExtendedKeyUsage.serverAuth,
  'code signing': x509.ExtendedKeyUsage.codeSigning,
  'email protection': x509.ExtendedKeyUsage.emailProtection,
  timestamping: x509.ExtendedKeyUsage.timeStamping,
  'ocsp signing': x509.ExtendedKeyUsage.ocspSigning,
};

/** Reads the PEM of a PKCS#10 request. @throws when it is none, or its signature is not by its own key */
export async function readRequest(
  pem: string,
): Promise<{ request: x509.Pkcs10CertificateRequest; subject: RequestedSubject }> {
  const request = new x509.Pkcs10CertificateRequest(pem);
  if (!(await request.verify())) throw new Error('the signature of the certificate request is not valid');
  const names = alternativeNames(request)?.names.toJSON() ?? [];
  const ofType = (type: string) => names.filter((name) => name.type === type).map((name) => name.value);
  const field = (name: string) => request.subjectName.getField(name);
  const subject = {
    commonName: field('CN')[0] ?? '',
    organizations: field('O'),
    dnsNames: ofType('dns'),
    ipAddresses: ofType('ip'),
    emailAddresses: ofType('email'),
    uris: ofType('url'),
  };
  return { request, subject };
}

function alternativeNames(request: x509.Pkcs10CertificateRequest): x509.SubjectAlternativeNameExtension | undefined {
  return request.extensions.find((extension) => extension instanceof x509.SubjectAlternativeNameExtension);
}

/** The cluster's CA, as far as it signs what people and kubelets ask for. */
export class CertificateAuthority {
  readonly #certificate: x509.X509Certificate;
  readonly #key: webcrypto.CryptoKey;
  readonly #random: Random;

  private constructor(certificate: x509.X509Certificate, key: webcrypto.CryptoKey, random: Random) {
    this.#certificate = certificate;
    this.#key = key;
    this.#random = random;
  }

  /** @throws when the key is neither ECDSA on a NIST curve nor RSA */
  static async load(
    pair: { readonly cert: string; readonly key: string },
    random: Random,
  ): Promise<CertificateAuthority> {
    const key = createPrivateKey(pair.key);
    const curves: Readonly<Record<string, string>> = { prime256v1: 'P-256', secp384r1: 'P-384', secp521r1: 'P-521' };
    const curve = curves[key.asymmetricKeyDetails?.namedCurve ?? ''];
    const algorithm =
      curve !== undefined
        ? { name: 'ECDSA', namedCurve: curve }
        : key.asymmetricKeyType === 'rsa'
          ? { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }
          : undefined;
    if (algorithm === undefined) throw new Error(`Cannot sign with a key of type ${key.asymmetricKeyType}`);
    const der = key.export({ type: 'pkcs8', format: 'der' });
    const imported = await webcrypto.subtle.importKey('pkcs8', der, algorithm, false, ['sign']);
    return new CertificateAuthority(new x509.X509Certificate(pair.cert), imported, random);
  }

  /** @returns PEM; it ends no later than the authority itself */
  async sign(
    request: x509.Pkcs10CertificateRequest,
    usages: readonly string[],
    nowMs: number,
    lifeMs: number,
  ): Promise<string> {
    const flags = usages.reduce((all, usage) => all | (KEY_USAGES[usage] ?? 0), 0);
    const extended = usages.map((usage) => EXTENDED_USAGES[usage]).filter((usage) => usage !== undefined);
    const names = alternativeNames(request);
    const extensions: x509.Extension[] = [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(flags, true),
      ...(extended.length > 0 ? [new x509.ExtendedKeyUsageExtension(extended)] : []),
      await x509.AuthorityKeyIdentifierExtension.create(this.#certificate.publicKey),
      ...(names === undefined ? [] : [names]),
    ];
    const endMs = nowMs + (lifeMs < SHORT_LIFE_MS ? lifeMs : lifeMs - CLOCK_SKEW_MS);
    const serial = this.#random.bytes(SERIAL_BYTES);
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: Buffer.from(serial.with(0, (serial[0] ?? 0) & 0x7f || 1)).toString('hex'),
      subject: request.subjectName.toJSON(),
      issuer: this.#certificate.subjectName.toJSON(),
      notBefore: new Date(nowMs - CLOCK_SKEW_MS),
      notAfter: new Date(Math.min(endMs, this.#certificate.notAfter.getTime())),
      publicKey: await request.publicKey.export(),
      signingKey: this.#key,
      signingAlgorithm: { name: this.#key.algorithm.name, hash: 'SHA-256' },
      extensions,
    });
    return `${certificate.toString('pem')}\n`;
  }
}
