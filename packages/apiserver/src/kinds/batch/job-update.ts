import { isConditionTrue, type Job, type JobSpec, type PodTemplateSpec } from '@wherry/api';
import { checkImmutable } from '../checks.ts';
import { sameValue } from '../equality.ts';
import { type Findings, invalid } from '../findings.ts';

const fixedFields = [
  'completionMode',
  'podFailurePolicy',
  'backoffLimitPerIndex',
  'managedBy',
  'successPolicy',
] as const;

/** A Job is a piece of work, not a wish: what its pods do is settled when it is made. */
export function checkJobUpdate(findings: Findings, next: Job, old: Job): void {
  if (next.spec === undefined || old.spec === undefined) return;
  checkCompletions(findings, next.spec, old.spec);
  checkImmutable(findings, next.spec.selector, old.spec.selector, 'spec.selector');
  checkImmutable(findings, templateToCompare(next.spec, old), old.spec.template, 'spec.template');
  for (const field of fixedFields) checkImmutable(findings, next.spec[field], old.spec[field], `spec.${field}`);
}

/** Indexed Jobs scale: indexes and workers together. */
function checkCompletions(findings: Findings, next: JobSpec, old: JobSpec): void {
  if (next.completions === old.completions) return;
  if (next.completionMode !== 'Indexed') {
    checkImmutable(findings, next.completions, old.completions, 'spec.completions');
  } else if (next.completions === undefined || next.completions !== next.parallelism) {
    const detail = 'can only be modified in tandem with spec.parallelism';
    findings.push(invalid('spec.completions', next.completions, detail));
  }
}

/** While a Job is suspended and has never started, where its pods may run can still change. */
function templateToCompare(next: JobSpec, old: Job): PodTemplateSpec {
  const { template } = next;
  const before = old.spec?.template;
  const isOpen =
    old.spec?.suspend === true &&
    old.status?.startTime === undefined &&
    !isConditionTrue(old.status?.conditions, 'Complete');
  if (!isOpen || before === undefined || sameValue(template, before)) return template;
  const {
    affinity,
    nodeSelector: _selector,
    schedulingGates: _gates,
    tolerations: _tolerations,
    ...fixed
  } = template.spec ?? { containers: [] };
  const was = before.spec ?? { containers: [] };
  const { nodeAffinity: _nodeAffinity, ...podAffinity } = affinity ?? {};
  const wasNodeAffinity = was.affinity?.nodeAffinity;
  const merged = wasNodeAffinity === undefined ? podAffinity : { ...podAffinity, nodeAffinity: wasNodeAffinity };
  const { annotations: _annotations, labels: _labels, ...metadata } = template.metadata ?? {};
  return {
    ...template,
    metadata: {
      ...metadata,
      ...(before.metadata?.annotations === undefined ? {} : { annotations: before.metadata.annotations }),
      ...(before.metadata?.labels === undefined ? {} : { labels: before.metadata.labels }),
    },
    spec: {
      ...fixed,
      ...(was.nodeSelector === undefined ? {} : { nodeSelector: was.nodeSelector }),
      ...(was.schedulingGates === undefined ? {} : { schedulingGates: was.schedulingGates }),
      ...(was.tolerations === undefined ? {} : { tolerations: was.tolerations }),
      ...(was.affinity === undefined && Object.keys(merged).length === 0 ? {} : { affinity: merged }),
    },
  };
}
