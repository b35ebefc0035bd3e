// APIServices and CustomResourceDefinitions: stored, checked for their names and shown; serving them is a later issue.
import type { APIService, CustomResourceDefinition } from '@wherry/api';
import { ageColumn, nameColumn, text } from '../cells.ts';
import { checkDnsSubdomain, checkImmutable, checkName, checkOneOf, checkRequired } from '../checks.ts';
import { type Findings, invalid, required } from '../findings.ts';
import { asPrefix, dns1035Label, dns1123Subdomain, pathSegment } from '../names.ts';
import { strategyOf } from '../plain.ts';

export const apiServiceStrategy = strategyOf<APIService>({
  validateName: asPrefix(pathSegment),
  allowUnconditionalUpdate: false,
  check: (findings, { metadata, spec }) => {
    const { group = '', version = '' } = spec ?? {};
    const expected = `${version}.${group}`;
    if (metadata?.name !== expected) {
      findings.push(invalid('metadata.name', metadata?.name, `must be \`spec.version+"."+spec.group\`: "${expected}"`));
    }
    if (checkRequired(findings, version, 'spec.version', 'API version must be set')) {
      checkName(findings, dns1035Label, version, 'spec.version');
    }
    checkPriority(findings, spec?.groupPriorityMinimum, 20_000, 'spec.groupPriorityMinimum');
    checkPriority(findings, spec?.versionPriority, 1000, 'spec.versionPriority');
  },
  columns: [
    nameColumn,
    text('Service', ({ spec }) =>
      spec?.service === undefined ? 'Local' : `${spec.service.namespace ?? ''}/${spec.service.name ?? ''}`,
    ),
    text('Available', ({ status }) => {
      const available = (status?.conditions ?? []).find(({ type }) => type === 'Available');
      if (available === undefined) return 'Unknown';
      return available.status === 'True' ? 'True' : `${available.status} (${available.reason ?? ''})`;
    }),
    ageColumn,
  ],
});

export const customResourceDefinitionStrategy = strategyOf<CustomResourceDefinition>({
  validateName: asPrefix(dns1123Subdomain),
  generation: true,
  allowUnconditionalUpdate: false,
  check: (findings, { metadata, spec }) => {
    const expected = `${spec.names.plural}.${spec.group}`;
    if (metadata?.name !== expected) {
      findings.push(invalid('metadata.name', metadata?.name, 'must be spec.names.plural+"."+spec.group'));
    }
    if (checkRequired(findings, spec.group, 'spec.group')) checkDnsSubdomain(findings, spec.group, 'spec.group');
    checkOneOf(findings, spec.scope, ['Cluster', 'Namespaced'], 'spec.scope');
    checkRequired(findings, spec.names.plural, 'spec.names.plural');
    checkRequired(findings, spec.names.kind, 'spec.names.kind');
    if (spec.versions.filter(({ storage }) => storage).length !== 1) {
      findings.push(invalid('spec.versions', spec.versions, 'must have exactly one version marked as storage version'));
    }
    for (const [index, version] of spec.versions.entries()) {
      checkName(findings, dns1035Label, version.name, `spec.versions[${index}].name`);
      if (version.schema?.openAPIV3Schema === undefined) {
        findings.push(required(`spec.versions[${index}].schema.openAPIV3Schema`, 'schemas are required'));
      }
    }
  },
  checkUpdate: (findings, next, old) => {
    checkImmutable(findings, next.spec.group, old.spec.group, 'spec.group');
    checkImmutable(findings, next.spec.names.plural, old.spec.names.plural, 'spec.names.plural');
    checkImmutable(findings, next.spec.scope, old.spec.scope, 'spec.scope');
  },
});

function checkPriority(findings: Findings, value: number | undefined, max: number, path: string): void {
  if (value !== undefined && value > 0 && value <= max) return;
  findings.push(invalid(path, value ?? 0, `must be positive and less than or equal to ${max}`));
}
