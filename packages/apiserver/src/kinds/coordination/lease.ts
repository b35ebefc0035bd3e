import type { Lease, LeaseCandidate } from '@wherry/api';
import { ageColumn, nameColumn, text } from '../cells.ts';
import { checkRequired, notNegative } from '../checks.ts';
import { invalid } from '../findings.ts';
import { asPrefix, dns1123Subdomain } from '../names.ts';
import { strategyOf } from '../plain.ts';

export const leaseStrategy = strategyOf<Lease>({
  validateName: asPrefix(dns1123Subdomain),
  allowCreateOnUpdate: true,
  allowUnconditionalUpdate: false,
  check: (findings, { spec }) => {
    const seconds = spec?.leaseDurationSeconds;
    if (seconds !== undefined && seconds <= 0) {
      findings.push(invalid('spec.leaseDurationSeconds', seconds, 'must be greater than 0'));
    }
    const transitions = spec?.leaseTransitions;
    if (transitions !== undefined && transitions < 0) {
      findings.push(invalid('spec.leaseTransitions', transitions, notNegative));
    }
  },
  columns: [nameColumn, text('Holder', (lease) => lease.spec?.holderIdentity ?? ''), ageColumn],
});

export const leaseCandidateStrategy = strategyOf<LeaseCandidate>({
  validateName: asPrefix(dns1123Subdomain),
  allowCreateOnUpdate: true,
  allowUnconditionalUpdate: false,
  check: (findings, { spec }) => {
    checkRequired(findings, spec?.leaseName, 'spec.leaseName');
    checkRequired(findings, spec?.binaryVersion, 'spec.binaryVersion');
    checkRequired(findings, spec?.strategy, 'spec.strategy');
  },
  checkUpdate: (findings, next, old) => {
    if (next.spec?.leaseName !== old.spec?.leaseName) {
      findings.push(invalid('spec.leaseName', next.spec?.leaseName, 'field is immutable'));
    }
  },
  columns: [
    nameColumn,
    text('LeaseName', (candidate) => candidate.spec?.leaseName ?? ''),
    text('BinaryVersion', (candidate) => candidate.spec?.binaryVersion ?? ''),
    text('EmulationVersion', (candidate) => candidate.spec?.emulationVersion ?? ''),
    ageColumn,
  ],
});
