import type {
  ClusterTrustBundleProjection,
  KeyToPath,
  PodCertificateProjection,
  ProjectedVolumeSource,
  ServiceAccountTokenProjection,
  VolumeProjection,
} from '@wherry/api';
import { checkName, checkRequired, checkSupported } from '../../checks.ts';
import { type Findings, forbidden, invalid, required } from '../../findings.ts';
import { domainPrefixedPath } from '../../signer-names.ts';
import { checkDownwardFile, checkKeysToPaths, checkMode } from './files.ts';
import { checkNonReservedPath } from './paths.ts';

const tokenSecondsMin = 600;
const tokenSecondsMax = 2 ** 32;
const conflictingPaths = 'conflicting duplicate paths';

/** Files of all sources share one directory: no path may appear twice. */
export function checkProjected(findings: Findings, source: ProjectedVolumeSource, path: string): void {
  checkMode(findings, source.defaultMode, `${path}.defaultMode`);
  const taken = new Set<string>();
  for (const [index, projection] of (source.sources ?? []).entries()) {
    checkProjection(findings, projection, taken, `${path}.sources[${index}]`, path);
  }
}

function checkProjection(
  findings: Findings,
  projection: VolumeProjection,
  taken: Set<string>,
  path: string,
  volumePath: string,
): void {
  let count = 0;
  const isFirst = (field: keyof VolumeProjection): boolean => {
    if (projection[field] === undefined) return false;
    count++;
    if (count === 1) return true;
    findings.push(forbidden(`${path}.${field}`, 'may not specify more than 1 volume type'));
    return false;
  };
  const take = (file: string, owner: string): void => {
    if (file !== '' && taken.has(file)) findings.push(invalid(volumePath, owner, conflictingPaths));
    taken.add(file);
  };
  for (const field of ['secret', 'configMap'] as const) {
    const keys = projection[field];
    if (!isFirst(field) || keys === undefined) continue;
    checkRequired(findings, keys.name, `${path}.${field}.name`);
    checkKeysToPaths(findings, keys.items, `${path}.${field}.items`);
    for (const item of keys.items ?? ([] as KeyToPath[])) take(item.path, keys.name ?? '');
  }
  if (isFirst('downwardAPI')) {
    for (const file of projection.downwardAPI?.items ?? []) {
      checkDownwardFile(findings, file, `${path}.downwardAPI`);
      take(file.path, file.path);
    }
  }
  if (isFirst('serviceAccountToken') && projection.serviceAccountToken !== undefined) {
    checkToken(findings, projection.serviceAccountToken, `${path}.serviceAccountToken`);
    take(projection.serviceAccountToken.path, projection.serviceAccountToken.path);
  }
  if (isFirst('clusterTrustBundle') && projection.clusterTrustBundle !== undefined) {
    checkTrustBundle(findings, projection.clusterTrustBundle, `${path}.clusterTrustBundle`);
    take(projection.clusterTrustBundle.path, projection.clusterTrustBundle.path);
  }
  if (isFirst('podCertificate') && projection.podCertificate !== undefined) {
    checkPodCertificate(findings, projection.podCertificate, `${path}.podCertificate`);
  }
}

function checkToken(findings: Findings, token: ServiceAccountTokenProjection, path: string): void {
  const seconds = token.expirationSeconds ?? tokenSecondsMin;
  const at = `${path}.expirationSeconds`;
  if (seconds < tokenSecondsMin) {
    findings.push(invalid(at, seconds, 'may not specify a duration less than 10 minutes'));
  }
  if (seconds > tokenSecondsMax) {
    findings.push(invalid(at, seconds, 'may not specify a duration larger than 2^32 seconds'));
  }
  if (checkRequired(findings, token.path, `${path}.path`)) checkNonReservedPath(findings, token.path, `${path}.path`);
}

function checkTrustBundle(findings: Findings, bundle: ClusterTrustBundleProjection, path: string): void {
  const { name, signerName } = bundle;
  if (name !== undefined && signerName !== undefined) {
    findings.push(invalid(`${path}.signerName`, signerName, 'only one of name and signerName may be used'));
  } else if (name === undefined && signerName === undefined) {
    findings.push(required(`${path}.name`, 'either name or signerName must be specified'));
  } else if (name !== undefined && bundle.labelSelector !== undefined) {
    findings.push(invalid(`${path}.labelSelector`, bundle.labelSelector, 'labelSelector must be unset if name is set'));
  } else if (signerName !== undefined) {
    checkName(findings, domainPrefixedPath, signerName, `${path}.signerName`);
  }
  if (checkRequired(findings, bundle.path, `${path}.path`)) checkNonReservedPath(findings, bundle.path, `${path}.path`);
}

function checkPodCertificate(findings: Findings, certificate: PodCertificateProjection, path: string): void {
  checkName(findings, domainPrefixedPath, certificate.signerName, `${path}.signerName`);
  checkSupported(
    findings,
    certificate.keyType,
    ['ECDSAP256', 'ECDSAP384', 'ECDSAP521', 'ED25519', 'RSA3072', 'RSA4096'],
    `${path}.keyType`,
  );
  for (const field of ['certificateChainPath', 'credentialBundlePath', 'keyPath'] as const) {
    const file = certificate[field];
    if (file) checkNonReservedPath(findings, file, `${path}.${field}`);
  }
}
