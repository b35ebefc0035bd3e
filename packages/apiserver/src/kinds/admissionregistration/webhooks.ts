// Webhook configurations and admission policies: stored and shown; what they do comes with their own issue.
import type {
  MutatingAdmissionPolicy,
  MutatingAdmissionPolicyBinding,
  MutatingWebhookConfiguration,
  ParamKind,
  ParamRef,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
  ValidatingWebhookConfiguration,
  WebhookClientConfig,
} from '@wherry/api';
import { ageColumn, count, nameColumn, selectorText, text, unset } from '../cells.ts';
import { checkDnsSubdomain, checkLabelSelector, checkOneOf, checkRequired, checkSupported } from '../checks.ts';
import { duplicate, type Findings, invalid, required } from '../findings.ts';
import { asPrefix, dns1123Subdomain } from '../names.ts';
import { strategyOf } from '../plain.ts';

type Webhook = NonNullable<ValidatingWebhookConfiguration['webhooks']>[number];

const timeoutSecondsMax = 30;

export const mutatingWebhookStrategy = strategyOf<MutatingWebhookConfiguration>({
  validateName: asPrefix(dns1123Subdomain),
  generation: true,
  allowUnconditionalUpdate: false,
  check: (findings, configuration) => checkWebhooks(findings, configuration.webhooks ?? []),
  columns: [nameColumn, count('Webhooks', ({ webhooks }) => (webhooks ?? []).length), ageColumn],
});

export const validatingWebhookStrategy = strategyOf<ValidatingWebhookConfiguration>({
  validateName: asPrefix(dns1123Subdomain),
  generation: true,
  allowUnconditionalUpdate: false,
  check: (findings, configuration) => checkWebhooks(findings, configuration.webhooks ?? []),
  columns: [nameColumn, count('Webhooks', ({ webhooks }) => (webhooks ?? []).length), ageColumn],
});

export const validatingAdmissionPolicyStrategy = strategyOf<ValidatingAdmissionPolicy>({
  validateName: asPrefix(dns1123Subdomain),
  generation: true,
  allowUnconditionalUpdate: false,
  check: (findings, { spec }) => {
    if (spec?.matchConstraints === undefined) findings.push(required('spec.matchConstraints', ''));
    else if ((spec.matchConstraints.resourceRules ?? []).length === 0) {
      findings.push(required('spec.matchConstraints.resourceRules', ''));
    }
    if ((spec?.validations ?? []).length + (spec?.auditAnnotations ?? []).length === 0) {
      const detail = 'validations or auditAnnotations must be non-empty';
      findings.push(required('spec.validations', detail), required('spec.auditAnnotations', detail));
    }
  },
  columns: [
    nameColumn,
    count('Validations', ({ spec }) => (spec?.validations ?? []).length),
    text('ParamKind', ({ spec }) => paramKindText(spec?.paramKind)),
    ageColumn,
  ],
});

export const validatingAdmissionPolicyBindingStrategy = strategyOf<ValidatingAdmissionPolicyBinding>({
  validateName: asPrefix(dns1123Subdomain),
  generation: true,
  allowUnconditionalUpdate: false,
  check: (findings, { spec }) => {
    checkRequired(findings, spec?.policyName, 'spec.policyName');
    if ((spec?.validationActions ?? []).length === 0) findings.push(required('spec.validationActions', ''));
  },
  columns: [
    nameColumn,
    text('PolicyName', ({ spec }) => spec?.policyName ?? ''),
    text('ParamRef', ({ spec }) => paramRefText(spec?.paramRef)),
    ageColumn,
  ],
});

export const mutatingAdmissionPolicyStrategy = strategyOf<MutatingAdmissionPolicy>({
  validateName: asPrefix(dns1123Subdomain),
  generation: true,
  columns: [
    nameColumn,
    count('Mutations', ({ spec }) => (spec?.mutations ?? []).length),
    text('ParamKind', ({ spec }) => paramKindText(spec?.paramKind)),
    ageColumn,
  ],
});

export const mutatingAdmissionPolicyBindingStrategy = strategyOf<MutatingAdmissionPolicyBinding>({
  validateName: asPrefix(dns1123Subdomain),
  generation: true,
  columns: [
    nameColumn,
    text('PolicyName', ({ spec }) => spec?.policyName ?? ''),
    text('ParamRef', ({ spec }) => paramRefText(spec?.paramRef)),
    ageColumn,
  ],
});

function checkWebhooks(findings: Findings, webhooks: readonly Webhook[]): void {
  const names = new Set<string>();
  for (const [index, webhook] of webhooks.entries()) {
    const at = `webhooks[${index}]`;
    if (webhook.name.split('.').length < 3) {
      const detail = 'should be a domain with at least three segments separated by dots';
      findings.push(invalid(`${at}.name`, webhook.name, detail));
    } else checkDnsSubdomain(findings, webhook.name, `${at}.name`);
    if (names.has(webhook.name)) findings.push(duplicate(`${at}.name`, webhook.name));
    names.add(webhook.name);
    if (webhook.admissionReviewVersions.length === 0) {
      const detail = 'must specify one of v1, v1beta1';
      findings.push(required(`${at}.admissionReviewVersions`, detail));
    }
    checkOneOf(findings, webhook.sideEffects, ['None', 'NoneOnDryRun'], `${at}.sideEffects`);
    checkSupported(findings, webhook.failurePolicy, ['Fail', 'Ignore'], `${at}.failurePolicy`);
    checkSupported(findings, webhook.matchPolicy, ['Equivalent', 'Exact'], `${at}.matchPolicy`);
    const seconds = webhook.timeoutSeconds;
    if (seconds !== undefined && (seconds < 1 || seconds > timeoutSecondsMax)) {
      const detail = `the timeout value must be between 1 and ${timeoutSecondsMax} seconds`;
      findings.push(invalid(`${at}.timeoutSeconds`, seconds, detail));
    }
    checkLabelSelector(findings, webhook.namespaceSelector, `${at}.namespaceSelector`);
    checkLabelSelector(findings, webhook.objectSelector, `${at}.objectSelector`);
    checkClient(findings, webhook.clientConfig, `${at}.clientConfig`);
  }
}

function checkClient(findings: Findings, config: WebhookClientConfig, path: string): void {
  if ((config.url === undefined) === (config.service === undefined)) {
    findings.push(required(path, 'exactly one of url or service is required'));
  }
  if (config.url !== undefined && !config.url.startsWith('https://')) {
    findings.push(
      invalid(`${path}.url`, config.url, `'https' is the only allowed URL scheme; desired format: https://host[/path]`),
    );
  }
  if (config.service === undefined) return;
  checkRequired(findings, config.service.name, `${path}.service.name`, 'service name is required');
  checkRequired(findings, config.service.namespace, `${path}.service.namespace`, 'service namespace is required');
}

function paramKindText(kind: ParamKind | undefined): string {
  return kind === undefined ? unset : `${kind.apiVersion ?? ''}/${kind.kind ?? ''}`;
}

function paramRefText(reference: ParamRef | undefined): string {
  if (reference?.name) return `${reference.namespace || '*'}/${reference.name}`;
  return reference?.selector === undefined ? unset : selectorText(reference.selector, '');
}
