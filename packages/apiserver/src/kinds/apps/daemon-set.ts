import type { ControllerRevision, DaemonSet, DaemonSetSpec, DaemonSetUpdateStrategy, ObjectMeta } from '@wherry/api';
import { controllerOf, parseGroupVersion } from '@wherry/api';
import { ageColumn, count, labelsText, nameColumn, none, podColumns, selectorText, text } from '../cells.ts';
import {
  checkAtMostAllPercent,
  checkCountOrPercent,
  checkImmutable,
  checkLabelSelector,
  checkNonNegative,
  checkNotDecremented,
  countOrPercentNumber,
  isEmptySelector,
} from '../checks.ts';
import { templateWarnings } from '../core/pod/warnings.ts';
import { sameValue } from '../equality.ts';
import { type Findings, invalid, notSupported, required } from '../findings.ts';
import { asPrefix, dns1123Subdomain } from '../names.ts';
import { strategyOf } from '../plain.ts';
import { checkSelectorFixed, checkWorkloadTemplate } from './workload.ts';

/** Counts changes of the template; older tools compare it with the label of the same name on pods. */
export const templateGenerationAnnotation = 'deprecated.daemonset.template.generation';

const counters = [
  'currentNumberScheduled',
  'numberMisscheduled',
  'desiredNumberScheduled',
  'numberReady',
  'observedGeneration',
  'updatedNumberScheduled',
  'numberAvailable',
  'numberUnavailable',
  'collisionCount',
] as const;

export const daemonSetStrategy = strategyOf<DaemonSet>({
  validateName: asPrefix(dns1123Subdomain),
  generation: true,
  prepareForCreate: (set) => withTemplateGeneration(set, Math.max(1, templateGeneration(set.metadata))),
  prepareForUpdate: (next, old) => {
    const changed = !sameValue(next.spec?.template, old.spec?.template);
    return withTemplateGeneration(next, templateGeneration(old.metadata) + (changed ? 1 : 0));
  },
  check: (findings, set) => {
    if (set.spec === undefined) findings.push(required('spec.selector', ''));
    else checkDaemonSetSpec(findings, set.spec);
  },
  checkUpdate: (findings, next, old) => checkSelectorFixed(findings, next.spec, old.spec),
  checkStatus: (findings, next, old) => {
    for (const counter of counters) checkNonNegative(findings, next.status?.[counter], `status.${counter}`);
    checkNotDecremented(findings, next.status?.collisionCount, old.status?.collisionCount, 'status.collisionCount');
  },
  warnings: (set) => templateWarnings(set.spec?.template, 'spec.template'),
  columns: [
    nameColumn,
    count('Desired', (set) => set.status?.desiredNumberScheduled),
    count('Current', (set) => set.status?.currentNumberScheduled),
    count('Ready', (set) => set.status?.numberReady),
    count('Up-to-date', (set) => set.status?.updatedNumberScheduled),
    count('Available', (set) => set.status?.numberAvailable),
    text('Node Selector', (set) => labelsText(set.spec?.template.spec?.nodeSelector)),
    ageColumn,
    ...podColumns<DaemonSet>(
      (set) => set.spec?.template.spec?.containers,
      (set) => selectorText(set.spec?.selector),
    ),
  ],
});

export const controllerRevisionStrategy = strategyOf<ControllerRevision>({
  validateName: asPrefix(dns1123Subdomain),
  check: (findings, revision) => {
    if (revision.data === undefined || revision.data === null) findings.push(required('data', 'data is mandatory'));
    checkNonNegative(findings, revision.revision, 'revision');
  },
  checkUpdate: (findings, next, old) => {
    checkImmutable(findings, next.data, old.data, 'data');
  },
  columns: [
    nameColumn,
    text('Controller', (revision) => {
      const owner = controllerOf(revision.metadata);
      if (owner === undefined) return none;
      const group = parseGroupVersion(owner.apiVersion)?.group ?? '';
      return `${(group === '' ? owner.kind : `${owner.kind}.${group}`).toLowerCase()}/${owner.name}`;
    }),
    text('Revision', (revision) => revision.revision),
    ageColumn,
  ],
});

function templateGeneration(metadata: ObjectMeta | undefined): number {
  const value = Number.parseInt(metadata?.annotations?.[templateGenerationAnnotation] ?? '0', 10);
  return Number.isNaN(value) ? 0 : value;
}

function withTemplateGeneration(set: DaemonSet, generation: number): DaemonSet {
  const annotations = { ...set.metadata?.annotations, [templateGenerationAnnotation]: String(generation) };
  return { ...set, metadata: { ...set.metadata, annotations } };
}

function checkDaemonSetSpec(findings: Findings, spec: DaemonSetSpec): void {
  checkLabelSelector(findings, spec.selector, 'spec.selector');
  if (spec.selector === undefined) findings.push(required('spec.selector', ''));
  else if (isEmptySelector(spec.selector)) {
    findings.push(invalid('spec.selector', spec.selector, 'empty selector is invalid for daemonset'));
  }
  checkWorkloadTemplate(findings, spec.template, spec.selector, 'DaemonSet');
  checkNonNegative(findings, spec.minReadySeconds, 'spec.minReadySeconds');
  checkUpdateStrategy(findings, spec.updateStrategy ?? {});
  checkNonNegative(findings, spec.revisionHistoryLimit, 'spec.revisionHistoryLimit');
}

function checkUpdateStrategy(findings: Findings, strategy: DaemonSetUpdateStrategy): void {
  const { rollingUpdate, type } = strategy;
  if (type === 'OnDelete') return;
  if (type !== 'RollingUpdate') {
    findings.push(notSupported('spec.updateStrategy', strategy, ['RollingUpdate', 'OnDelete']));
    return;
  }
  const path = 'spec.updateStrategy.rollingUpdate';
  if (rollingUpdate === undefined) {
    findings.push(required(path, ''));
    return;
  }
  const { maxSurge, maxUnavailable } = rollingUpdate;
  checkCountOrPercent(findings, maxUnavailable, `${path}.maxUnavailable`);
  checkCountOrPercent(findings, maxSurge, `${path}.maxSurge`);
  checkAtMostAllPercent(findings, maxUnavailable, `${path}.maxUnavailable`);
  checkAtMostAllPercent(findings, maxSurge, `${path}.maxSurge`);
  const hasUnavailable = countOrPercentNumber(maxUnavailable) !== 0;
  const hasSurge = countOrPercentNumber(maxSurge) !== 0;
  if (hasUnavailable && hasSurge) {
    findings.push(invalid(`${path}.maxSurge`, maxSurge, 'may not be set when maxUnavailable is non-zero'));
  } else if (!hasUnavailable && !hasSurge) {
    findings.push(required(`${path}.maxUnavailable`, 'cannot be 0 when maxSurge is 0'));
  }
}
