// Kinds by which API servers speak of themselves, and of trust: shown as upstream shows them.
import type { ClusterTrustBundle, StorageVersion, StorageVersionMigration } from '@wherry/api';
import { ageColumn, nameColumn, none, shortList, text, unset } from '../cells.ts';
import { checkImmutable, checkName, checkRequired } from '../checks.ts';
import { invalid } from '../findings.ts';
import { asPrefix, dns1123Subdomain, pathSegment } from '../names.ts';
import { strategyOf } from '../plain.ts';
import { domainPrefixedPath } from '../signer-names.ts';

const shownMax = 3;

export const storageVersionStrategy = strategyOf<StorageVersion>({
  validateName: asPrefix(pathSegment),
  columns: [
    nameColumn,
    text('CommonEncodingVersion', ({ status }) => status?.commonEncodingVersion ?? unset),
    text('StorageVersions', ({ status }) => {
      const versions = status?.storageVersions ?? [];
      const shown = versions.map(({ apiServerID, encodingVersion }) => `${apiServerID}=${encodingVersion}`);
      return shortList(shown, shownMax, shown.length) || unset;
    }),
    ageColumn,
  ],
});

export const storageVersionMigrationStrategy = strategyOf<StorageVersionMigration>({
  validateName: asPrefix(dns1123Subdomain),
  check: (findings, { spec }) => {
    checkRequired(findings, spec?.resource?.resource, 'spec.resource.resource', 'resource is required');
    checkRequired(findings, spec?.resource?.version, 'spec.resource.version', 'version is required');
  },
  checkUpdate: (findings, next, old) => {
    checkImmutable(findings, next.spec?.resource, old.spec?.resource, 'spec.resource');
  },
  columns: [
    nameColumn,
    text('Resource', ({ spec }) => {
      const { group = '', resource = '', version = '' } = spec?.resource ?? {};
      return `${resource}.${version}.${group}`;
    }),
  ],
});

export const clusterTrustBundleStrategy = strategyOf<ClusterTrustBundle>({
  // A signer's bundles are named after it: example.com:mysigner:anything.
  validateName: asPrefix((name) => dns1123Subdomain(name.slice(name.lastIndexOf(':') + 1))),
  check: (findings, { metadata, spec }) => {
    const signer = spec?.signerName ?? '';
    const name = metadata?.name ?? '';
    if (signer === '') {
      if (name.includes(':')) {
        const detail = 'ClusterTrustBundle without signer name must not have ":" in its name';
        findings.push(invalid('metadata.name', name, detail));
      }
    } else {
      checkName(findings, domainPrefixedPath, signer, 'spec.signerName');
      const prefix = `${signer.replaceAll('/', ':')}:`;
      if (!name.startsWith(prefix)) {
        const detail = `ClusterTrustBundle for signerName ${signer} must be named with prefix ${prefix}`;
        findings.push(invalid('metadata.name', name, detail));
      }
    }
    checkRequired(findings, spec?.trustBundle, 'spec.trustBundle');
  },
  checkUpdate: (findings, next, old) => {
    checkImmutable(findings, next.spec.signerName, old.spec.signerName, 'spec.signerName');
  },
  fieldSelectors: { 'spec.signerName': ({ spec }) => spec.signerName ?? '' },
  columns: [nameColumn, text('SignerName', ({ spec }) => spec.signerName || none)],
});
