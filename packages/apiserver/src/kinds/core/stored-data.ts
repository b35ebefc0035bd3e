// ConfigMaps and Secrets: named pieces of data, which can be frozen.
import type { ConfigMap, Secret } from '@wherry/api';
import { ageColumn, nameColumn, text } from '../cells.ts';
import { checkImmutable, checkName, type StringMap } from '../checks.ts';
import { sameValue } from '../equality.ts';
import { type Findings, forbidden, invalid, required, tooLong } from '../findings.ts';
import { asPrefix, configMapKey, dns1123Subdomain } from '../names.ts';
import { strategyOf } from '../plain.ts';

const dataSizeBytesMax = 1024 * 1024;
const frozen = 'field is immutable when `immutable` is set';
const serviceAccountNameAnnotation = 'kubernetes.io/service-account.name';

export const configMapStrategy = strategyOf<ConfigMap>({
  validateName: asPrefix(dns1123Subdomain),
  check: checkConfigMap,
  checkUpdate: (findings, next, old) => checkFrozen(findings, next, old, ['data', 'binaryData']),
  columns: [
    nameColumn,
    text('Data', (map) => Object.keys(map.data ?? {}).length + Object.keys(map.binaryData ?? {}).length),
    ageColumn,
  ],
});

export const secretStrategy = strategyOf<Secret>({
  validateName: asPrefix(dns1123Subdomain),
  prepareForCreate: withStringData,
  prepareForUpdate: (next, old) => {
    const secret = withStringData(next);
    // Clients that do not know the type leave it alone.
    return secret.type || old.type === undefined ? secret : { ...secret, type: old.type };
  },
  check: checkSecret,
  checkUpdate: (findings, next, old) => {
    checkImmutable(findings, next.type, old.type, 'type');
    checkFrozen(findings, next, old, ['data']);
  },
  fieldSelectors: { type: (secret) => secret.type ?? '' },
  columns: [
    nameColumn,
    text('Type', (secret) => secret.type ?? ''),
    text('Data', (secret) => Object.keys(secret.data ?? {}).length),
    ageColumn,
  ],
});

/** stringData is write-only: it ends up in data. */
export function withStringData(secret: Secret): Secret {
  const { stringData, ...rest } = secret;
  if (stringData === undefined) return secret;
  const data: Record<string, string> = { ...rest.data };
  for (const key in stringData) data[key] = encodeBase64(stringData[key] ?? '');
  return { ...rest, data };
}

function checkConfigMap(findings: Findings, map: ConfigMap): void {
  let sizeBytes = 0;
  for (const key in map.data) {
    checkKey(findings, key, `data[${key}]`);
    if (map.binaryData !== undefined && Object.hasOwn(map.binaryData, key)) {
      findings.push(invalid(`data[${key}]`, key, 'duplicate of key present in binaryData'));
    }
    sizeBytes += sizeOfText(map.data[key] ?? '');
  }
  for (const key in map.binaryData) {
    checkKey(findings, key, `binaryData[${key}]`);
    sizeBytes += sizeOfBase64(map.binaryData[key] ?? '');
  }
  if (sizeBytes > dataSizeBytesMax) findings.push(tooLong('', '', dataSizeBytesMax));
}

function checkSecret(findings: Findings, secret: Secret): void {
  const data = secret.data ?? {};
  let sizeBytes = 0;
  for (const key in data) {
    checkKey(findings, key, `data[${key}]`);
    sizeBytes += sizeOfBase64(data[key] ?? '');
  }
  if (sizeBytes > dataSizeBytesMax) findings.push(tooLong('data', '', dataSizeBytesMax));
  checkSecretType(findings, secret, data);
}

function checkSecretType(findings: Findings, secret: Secret, data: StringMap): void {
  const needs = (key: string): void => {
    if (!Object.hasOwn(data, key)) findings.push(required(`data[${key}]`, ''));
  };
  switch (secret.type) {
    case 'kubernetes.io/service-account-token':
      if (!secret.metadata?.annotations?.[serviceAccountNameAnnotation]) {
        findings.push(required(`metadata.annotations[${serviceAccountNameAnnotation}]`, ''));
      }
      break;
    case 'kubernetes.io/dockercfg':
      checkJsonEntry(findings, data, '.dockercfg');
      break;
    case 'kubernetes.io/dockerconfigjson':
      checkJsonEntry(findings, data, '.dockerconfigjson');
      break;
    case 'kubernetes.io/basic-auth':
      if (Object.hasOwn(data, 'username') || Object.hasOwn(data, 'password')) break;
      needs('username');
      needs('password');
      break;
    case 'kubernetes.io/ssh-auth':
      if (!data['ssh-privatekey']) findings.push(required('data[ssh-privatekey]', ''));
      break;
    case 'kubernetes.io/tls':
      needs('tls.crt');
      needs('tls.key');
      break;
    default:
  }
}

function checkJsonEntry(findings: Findings, data: StringMap, key: string): void {
  const value = data[key];
  if (value === undefined) {
    findings.push(required(`data[${key}]`, ''));
    return;
  }
  try {
    const parsed: unknown = JSON.parse(decodeBase64(value));
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return;
    findings.push(invalid(`data[${key}]`, '<secret contents redacted>', 'must be a JSON object'));
  } catch (error) {
    // The parser's words are for the client, the contents are not.
    const detail = error instanceof SyntaxError ? 'must be well-formed JSON' : 'must be base64';
    findings.push(invalid(`data[${key}]`, '<secret contents redacted>', detail));
  }
}

interface Freezable {
  readonly immutable?: boolean;
  readonly data?: StringMap;
  readonly binaryData?: StringMap;
}

function checkFrozen(
  findings: Findings,
  next: Freezable,
  old: Freezable,
  fields: readonly ('data' | 'binaryData')[],
): void {
  if (old.immutable !== true) return;
  if (next.immutable !== true) findings.push(forbidden('immutable', frozen));
  for (const field of fields) {
    if (!sameValue(next[field], old[field], 'annotations')) findings.push(forbidden(field, frozen));
  }
}

function checkKey(findings: Findings, key: string, path: string): void {
  checkName(findings, configMapKey, key, path);
}

function sizeOfText(value: string): number {
  // Exact sizes only matter near the limit; everything short is counted by its letters.
  return value.length < 1024 ? value.length : new TextEncoder().encode(value).length;
}

function sizeOfBase64(value: string): number {
  return Math.floor((value.length * 3) / 4);
}

function encodeBase64(value: string): string {
  const bytes = new TextEncoder().encode(value);
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}

function decodeBase64(value: string): string {
  const binary = atob(value);
  return new TextDecoder().decode(Uint8Array.from(binary, (letter) => letter.charCodeAt(0)));
}
