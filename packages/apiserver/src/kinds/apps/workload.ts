// What Deployments, ReplicaSets, StatefulSets and DaemonSets have in common: a selector and pods made from a template.
import {
  compileLabelSelector,
  type LabelSelector,
  labelsMatch,
  type PodTemplateSpec,
  SelectorError,
} from '@wherry/api';
import { checkImmutable, checkLabelSelector, isEmptySelector } from '../checks.ts';
import { checkPodTemplate } from '../core/pod/validation.ts';
import { type Findings, forbidden, invalid, notSupported, required } from '../findings.ts';

/** `owner` as upstream calls it in the message: ReplicaSets speak of deployments. */
export function checkWorkloadSelector(findings: Findings, selector: LabelSelector | undefined, owner: string): void {
  if (selector === undefined) {
    findings.push(required('spec.selector', ''));
    return;
  }
  checkLabelSelector(findings, selector, 'spec.selector');
  if (isEmptySelector(selector)) {
    findings.push(invalid('spec.selector', selector, `empty selector is invalid for ${owner}`));
  }
}

/** `kind` stands in the message about deadlines; a Deployment's pods belong to its ReplicaSets. */
export function checkWorkloadTemplate(
  findings: Findings,
  template: PodTemplateSpec | undefined,
  selector: LabelSelector | undefined,
  kind: string,
): void {
  checkTemplateLabels(findings, template, selector, 'spec');
  checkPodTemplate(findings, template, 'spec.template');
  const policy = template?.spec?.restartPolicy;
  if (policy !== 'Always') findings.push(notSupported('spec.template.spec.restartPolicy', policy ?? '', ['Always']));
  if (template?.spec?.activeDeadlineSeconds !== undefined) {
    const detail = `activeDeadlineSeconds in ${kind} is not Supported`;
    findings.push(forbidden('spec.template.spec.activeDeadlineSeconds', detail));
  }
}

/** `path` is that of the spec that holds both. */
export function checkTemplateLabels(
  findings: Findings,
  template: PodTemplateSpec | undefined,
  selector: LabelSelector | undefined,
  path: string,
): void {
  if (selector === undefined || isEmptySelector(selector)) return;
  const labels = template?.metadata?.labels;
  if (!matchesIfReadable(selector, labels)) {
    findings.push(invalid(`${path}.template.metadata.labels`, labels, '`selector` does not match template `labels`'));
  }
}

export function checkSelectorFixed(
  findings: Findings,
  next: { readonly selector?: LabelSelector } | undefined,
  old: { readonly selector?: LabelSelector } | undefined,
): void {
  checkImmutable(findings, next?.selector, old?.selector, 'spec.selector');
}

/** A selector that cannot be read is reported as such; it matches for want of a better answer. */
export function matchesIfReadable(
  selector: LabelSelector,
  labels: Readonly<Record<string, string>> | undefined,
): boolean {
  try {
    return labelsMatch(compileLabelSelector(selector), labels);
  } catch (error) {
    if (error instanceof SelectorError) return true;
    throw error;
  }
}
