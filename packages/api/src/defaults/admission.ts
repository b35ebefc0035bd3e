// Defaults of webhooks and admission policies. Policies have the same shape in every version.
import type {
  MatchResources,
  MutatingWebhook,
  MutatingWebhookConfiguration,
  NamedRuleWithOperations,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
  ValidatingWebhook,
  ValidatingWebhookConfiguration,
} from '../generated/types.ts';
import type { Draft } from './draft.ts';

export function defaultMutatingWebhooks(configuration: Draft<MutatingWebhookConfiguration>): void {
  for (const webhook of configuration.webhooks ?? []) {
    defaultWebhook(webhook);
    webhook.reinvocationPolicy ??= 'Never';
  }
}

export function defaultValidatingWebhooks(configuration: Draft<ValidatingWebhookConfiguration>): void {
  for (const webhook of configuration.webhooks ?? []) defaultWebhook(webhook);
}

function defaultWebhook(webhook: Draft<MutatingWebhook> | Draft<ValidatingWebhook>): void {
  webhook.failurePolicy ??= 'Fail';
  webhook.matchPolicy ??= 'Equivalent';
  webhook.namespaceSelector ??= {};
  webhook.objectSelector ??= {};
  webhook.timeoutSeconds ??= 10;
  if (webhook.clientConfig?.service !== undefined) webhook.clientConfig.service.port ??= 443;
  for (const rule of webhook.rules ?? []) rule.scope ??= '*';
}

export function defaultAdmissionPolicy({ spec }: Draft<ValidatingAdmissionPolicy>): void {
  if (spec === undefined) return;
  spec.failurePolicy ??= 'Fail';
  if (spec.matchConstraints !== undefined) defaultMatchResources(spec.matchConstraints);
}

export function defaultAdmissionPolicyBinding({ spec }: Draft<ValidatingAdmissionPolicyBinding>): void {
  if (spec?.matchResources !== undefined) defaultMatchResources(spec.matchResources);
}

function defaultMatchResources(match: Draft<MatchResources>): void {
  match.matchPolicy ??= 'Equivalent';
  match.namespaceSelector ??= {};
  match.objectSelector ??= {};
  defaultRules(match.resourceRules);
  defaultRules(match.excludeResourceRules);
}

function defaultRules(rules: readonly Draft<NamedRuleWithOperations>[] | undefined): void {
  for (const rule of rules ?? []) rule.scope ??= '*';
}
