import type { PodTemplate, ReplicationController, ReplicationControllerSpec } from '@wherry/api';
import { labelSelectorMatches } from '@wherry/api';
import { ageColumn, count, labelsText, nameColumn, podColumns, text } from '../cells.ts';
import { checkNonNegative } from '../checks.ts';
import { type Findings, forbidden, invalid, notSupported, required } from '../findings.ts';
import { asPrefix, dns1123Subdomain } from '../names.ts';
import { strategyOf } from '../plain.ts';
import { checkReplicaCounts } from '../replica-status.ts';
import { checkPodTemplate } from './pod/validation.ts';
import { templateWarnings } from './pod/warnings.ts';

export const replicationControllerStrategy = strategyOf<ReplicationController>({
  validateName: asPrefix(dns1123Subdomain),
  generation: true,
  allowCreateOnUpdate: true,
  defaultDeletion: 'orphan',
  check: (findings, controller) => checkController(findings, controller.spec ?? {}),
  checkStatus: (findings, next) => checkReplicaCounts(findings, next.status ?? { replicas: 0 }),
  warnings: (controller) => templateWarnings(controller.spec?.template, 'spec.template'),
  fieldSelectors: { 'status.replicas': (controller) => String(controller.status?.replicas ?? 0) },
  columns: [
    nameColumn,
    count('Desired', (controller) => controller.spec?.replicas),
    count('Current', (controller) => controller.status?.replicas),
    count('Ready', (controller) => controller.status?.readyReplicas),
    ageColumn,
    ...podColumns<ReplicationController>(
      (controller) => controller.spec?.template?.spec?.containers,
      (controller) => labelsText(controller.spec?.selector),
    ),
  ],
});

export const podTemplateStrategy = strategyOf<PodTemplate>({
  validateName: asPrefix(dns1123Subdomain),
  generation: true,
  allowCreateOnUpdate: true,
  check: (findings, template) => checkPodTemplate(findings, template.template, 'template'),
  warnings: (template) => templateWarnings(template.template, 'template'),
  columns: [
    nameColumn,
    text('Containers', ({ template }) => (template?.spec?.containers ?? []).map(({ name }) => name).join(',')),
    text('Images', ({ template }) => (template?.spec?.containers ?? []).map(({ image }) => image ?? '').join(',')),
    text('Pod Labels', ({ template }) => labelsText(template?.metadata?.labels)),
  ],
});

function checkController(findings: Findings, spec: ReplicationControllerSpec): void {
  const selector = spec.selector ?? {};
  const { template } = spec;
  checkNonNegative(findings, spec.minReadySeconds, 'spec.minReadySeconds');
  const isEmpty = Object.keys(selector).length === 0;
  if (isEmpty) findings.push(required('spec.selector', ''));
  checkNonNegative(findings, spec.replicas, 'spec.replicas');
  if (template === undefined) {
    findings.push(required('spec.template', ''));
    return;
  }
  const labels = template.metadata?.labels;
  if (!isEmpty && !labelSelectorMatches({ matchLabels: selector }, labels)) {
    findings.push(invalid('spec.template.metadata.labels', labels, '`selector` does not match template `labels`'));
  }
  checkPodTemplate(findings, template, 'spec.template');
  const policy = template.spec?.restartPolicy;
  if (policy !== 'Always') findings.push(notSupported('spec.template.spec.restartPolicy', policy, ['Always']));
  if (template.spec?.activeDeadlineSeconds !== undefined) {
    const detail = 'activeDeadlineSeconds in ReplicationController is not Supported';
    findings.push(forbidden('spec.template.spec.activeDeadlineSeconds', detail));
  }
}
