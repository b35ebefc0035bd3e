import type { FlowSchema, PriorityLevelConfiguration } from '@wherry/api';
import { ageColumn, nameColumn, none, text } from '../cells.ts';
import { checkOneOf, checkRequired, checkSupported } from '../checks.ts';
import { forbidden, invalid, required } from '../findings.ts';
import { asPrefix, dns1123Subdomain } from '../names.ts';
import { strategyOf } from '../plain.ts';

const precedenceMax = 10_000;

export const flowSchemaStrategy = strategyOf<FlowSchema>({
  validateName: asPrefix(dns1123Subdomain),
  generation: true,
  check: (findings, { metadata, spec }) => {
    const precedence = spec?.matchingPrecedence ?? 0;
    if (precedence <= 0) findings.push(invalid('spec.matchingPrecedence', precedence, 'must be a positive value'));
    if (precedence > precedenceMax) {
      const detail = `must not be greater than ${precedenceMax}`;
      findings.push(invalid('spec.matchingPrecedence', precedence, detail));
    }
    if (precedence === 1 && metadata?.name !== 'exempt') {
      const detail = "only the schema named 'exempt' may have matchingPrecedence 1";
      findings.push(invalid('spec.matchingPrecedence', precedence, detail));
    }
    checkSupported(findings, spec?.distinguisherMethod?.type, ['ByNamespace', 'ByUser'], 'spec.distinguisherMethod');
    checkRequired(
      findings,
      spec?.priorityLevelConfiguration?.name,
      'spec.priorityLevelConfiguration.name',
      'must reference a priority level',
    );
    for (const [index, rule] of (spec?.rules ?? []).entries()) {
      const at = `spec.rules[${index}]`;
      if (rule.subjects.length === 0) {
        findings.push(required(`${at}.subjects`, 'subjects must contain at least one value'));
      }
      if ((rule.resourceRules ?? []).length + (rule.nonResourceRules ?? []).length === 0) {
        findings.push(required(at, 'at least one of resourceRules and nonResourceRules has to be non-empty'));
      }
    }
  },
  columns: [
    nameColumn,
    text('PriorityLevel', ({ spec }) => spec?.priorityLevelConfiguration.name ?? ''),
    text('MatchingPrecedence', ({ spec }) => spec?.matchingPrecedence ?? 0),
    text('DistinguisherMethod', ({ spec }) => spec?.distinguisherMethod?.type ?? none),
    ageColumn,
    text('MissingPL', ({ status }) => {
      return (status?.conditions ?? []).find(({ type }) => type === 'Dangling')?.status ?? '?';
    }),
  ],
});

export const priorityLevelStrategy = strategyOf<PriorityLevelConfiguration>({
  validateName: asPrefix(dns1123Subdomain),
  generation: true,
  check: (findings, { metadata, spec }) => {
    if (!checkOneOf(findings, spec?.type, ['Exempt', 'Limited'], 'spec.type')) return;
    const isExempt = spec?.type === 'Exempt';
    if (isExempt !== (metadata?.name === 'exempt')) {
      const detail =
        metadata?.name === 'exempt'
          ? "type must be 'Exempt' for priority level 'exempt'"
          : "type must be 'Limited' for other priority levels";
      findings.push(invalid('spec.type', spec?.type, detail));
    }
    if (isExempt && spec?.limited !== undefined) {
      findings.push(forbidden('spec.limited', 'must be nil if the type is not Limited'));
    }
    if (!isExempt && spec?.limited === undefined) {
      findings.push(required('spec.limited', 'must not be empty when type is Limited'));
    }
  },
  columns: [
    nameColumn,
    text('Type', ({ spec }) => spec?.type ?? ''),
    text('NominalConcurrencyShares', ({ spec }) => spec?.limited?.nominalConcurrencyShares ?? none),
    text('Queues', ({ spec }) => spec?.limited?.limitResponse?.queuing?.queues ?? none),
    text('HandSize', ({ spec }) => spec?.limited?.limitResponse?.queuing?.handSize ?? none),
    text('QueueLengthLimit', ({ spec }) => spec?.limited?.limitResponse?.queuing?.queueLengthLimit ?? none),
    ageColumn,
  ],
});
