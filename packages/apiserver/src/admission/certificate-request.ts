// The little of a PKCS#10 request (RFC 2986) that the API server itself looks at.

const SEQUENCE = 0x30;
const SET = 0x31;
const INTEGER = 0x02;
const OBJECT_IDENTIFIER = 0x06;
/** 2.5.4.10 and 2.5.4.3. */
const ORGANIZATION = '55040a';
const COMMON_NAME = '550403';
const MISFIT = "asn1: structure error: tags don't match";

/** Who a certificate is asked for: a user and its groups, to Kubernetes. */
export interface RequestedSubject {
  readonly commonName: string;
  readonly organizations: readonly string[];
}

interface Element {
  readonly tag: number;
  readonly content: Buffer;
}

/**
 * The subject of a request.
 * @param request as it stands in a CertificateSigningRequest: base64 of PEM
 * @throws Error when it is no such request
 */
export function requestedSubject(request: string): RequestedSubject {
  const pem = Buffer.from(request, 'base64').toString('latin1');
  const body = /-----BEGIN (?:NEW )?CERTIFICATE REQUEST-----([A-Za-z0-9+/=\s]+)-----END /.exec(pem)?.[1];
  if (body === undefined) {
    throw new Error('PEM block type must be CERTIFICATE REQUEST');
  }
  const outer = only(elements(Buffer.from(body, 'base64')), SEQUENCE);
  const info = elements(only(elements(outer).slice(0, 1), SEQUENCE));
  if (info[0]?.tag !== INTEGER) {
    throw new Error(MISFIT);
  }
  const subject = elements(only(info.slice(1, 2), SEQUENCE));
  const attributes = subject.flatMap((part) => elements(only([part], SET)).map(attributeIn));
  const valuesOf = (type: string): string[] =>
    attributes.filter((found) => found.type === type).map(({ value }) => value);
  return { commonName: valuesOf(COMMON_NAME).at(-1) ?? '', organizations: valuesOf(ORGANIZATION) };
}

function attributeIn(attribute: Element): { readonly type: string; readonly value: string } {
  const [type, value] = elements(only([attribute], SEQUENCE));
  if (type?.tag !== OBJECT_IDENTIFIER || value === undefined) {
    throw new Error(MISFIT);
  }
  return { type: type.content.toString('hex'), value: value.content.toString('utf8') };
}

function only(found: readonly Element[], tag: number): Buffer {
  const [first] = found;
  if (first?.tag !== tag) {
    throw new Error(MISFIT);
  }
  return first.content;
}

/** Elements that follow each other (DER: definite lengths only). */
function elements(bytes: Buffer): readonly Element[] {
  const found: Element[] = [];
  let at = 0;
  while (at < bytes.length) {
    const tag = bytes[at] ?? 0;
    const first = bytes[at + 1] ?? 0;
    const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
    const start = at + 2 + lengthBytes;
    if (lengthBytes > 4 || first === 0x80 || start > bytes.length) {
      throw new Error('asn1: structure error: invalid length');
    }
    const length = lengthBytes === 0 ? first : bytes.readUIntBE(at + 2, lengthBytes);
    if (start + length > bytes.length) {
      throw new Error('asn1: syntax error: data truncated');
    }
    found.push({ tag, content: bytes.subarray(start, start + length) });
    at = start + length;
  }
  return found;
}
