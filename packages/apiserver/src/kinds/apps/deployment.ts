import type { Deployment, DeploymentSpec, DeploymentStrategy, ReplicaSet } from '@wherry/api';
import { ageColumn, count, nameColumn, podColumns, selectorText, text } from '../cells.ts';
import {
  checkAtMostAllPercent,
  checkCountOrPercent,
  checkNonNegative,
  checkNotDecremented,
  countOrPercentNumber,
} from '../checks.ts';
import { templateWarnings } from '../core/pod/warnings.ts';
import { type Findings, forbidden, invalid, notSupported, required } from '../findings.ts';
import { asPrefix, dns1123Subdomain } from '../names.ts';
import { strategyOf } from '../plain.ts';
import { checkReplicaCounts } from '../replica-status.ts';
import { checkSelectorFixed, checkWorkloadSelector, checkWorkloadTemplate } from './workload.ts';

export const deploymentStrategy = strategyOf<Deployment>({
  validateName: asPrefix(dns1123Subdomain),
  generation: true,
  check: (findings, deployment) => {
    if (deployment.spec !== undefined) checkDeploymentSpec(findings, deployment.spec);
    else findings.push(required('spec.selector', ''));
  },
  checkUpdate: (findings, next, old) => checkSelectorFixed(findings, next.spec, old.spec),
  // A status is not the way to relabel a Deployment.
  prepareForStatus: (next, old) => {
    const { labels: _labels, ...metadata } = next.metadata ?? {};
    const labels = old.metadata?.labels;
    return { ...next, metadata: labels === undefined ? metadata : { ...metadata, labels } };
  },
  checkStatus: (findings, next, old) => {
    checkReplicaCounts(findings, next.status ?? {});
    checkNotDecremented(findings, next.status?.collisionCount, old.status?.collisionCount, 'status.collisionCount');
  },
  warnings: (deployment) => templateWarnings(deployment.spec?.template, 'spec.template'),
  columns: [
    nameColumn,
    text('Ready', ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec?.replicas ?? 0}`),
    text('Up-to-date', (deployment) => deployment.status?.updatedReplicas ?? 0),
    text('Available', (deployment) => deployment.status?.availableReplicas ?? 0),
    ageColumn,
    ...podColumns<Deployment>(
      (deployment) => deployment.spec?.template.spec?.containers,
      (deployment) => selectorText(deployment.spec?.selector, ''),
    ),
  ],
});

export const replicaSetStrategy = strategyOf<ReplicaSet>({
  validateName: asPrefix(dns1123Subdomain),
  generation: true,
  check: (findings, set) => {
    const { spec } = set;
    checkNonNegative(findings, spec?.replicas, 'spec.replicas');
    checkNonNegative(findings, spec?.minReadySeconds, 'spec.minReadySeconds');
    checkWorkloadSelector(findings, spec?.selector, 'deployment');
    checkWorkloadTemplate(findings, spec?.template, spec?.selector, 'ReplicaSet');
  },
  checkUpdate: (findings, next, old) => checkSelectorFixed(findings, next.spec, old.spec),
  checkStatus: (findings, next) => checkReplicaCounts(findings, next.status ?? {}),
  warnings: (set) => templateWarnings(set.spec?.template, 'spec.template'),
  fieldSelectors: { 'status.replicas': (set) => String(set.status?.replicas ?? 0) },
  columns: [
    nameColumn,
    count('Desired', (set) => set.spec?.replicas),
    count('Current', (set) => set.status?.replicas),
    count('Ready', (set) => set.status?.readyReplicas),
    ageColumn,
    ...podColumns<ReplicaSet>(
      (set) => set.spec?.template?.spec?.containers,
      (set) => selectorText(set.spec?.selector),
    ),
  ],
});

function checkDeploymentSpec(findings: Findings, spec: DeploymentSpec): void {
  checkNonNegative(findings, spec.replicas, 'spec.replicas');
  checkWorkloadSelector(findings, spec.selector, 'deployment');
  checkWorkloadTemplate(findings, spec.template, spec.selector, 'ReplicaSet');
  checkStrategy(findings, spec.strategy ?? {});
  checkNonNegative(findings, spec.minReadySeconds, 'spec.minReadySeconds');
  checkNonNegative(findings, spec.revisionHistoryLimit, 'spec.revisionHistoryLimit');
  const deadline = spec.progressDeadlineSeconds;
  if (deadline === undefined) return;
  checkNonNegative(findings, deadline, 'spec.progressDeadlineSeconds');
  if (deadline <= (spec.minReadySeconds ?? 0)) {
    findings.push(invalid('spec.progressDeadlineSeconds', deadline, 'must be greater than minReadySeconds'));
  }
}

function checkStrategy(findings: Findings, strategy: DeploymentStrategy): void {
  const { rollingUpdate, type } = strategy;
  const path = 'spec.strategy.rollingUpdate';
  if (type === 'Recreate') {
    if (rollingUpdate !== undefined) {
      findings.push(forbidden(path, "may not be specified when strategy `type` is 'Recreate'"));
    }
    return;
  }
  if (type !== 'RollingUpdate') {
    findings.push(notSupported('spec.strategy', strategy, ['Recreate', 'RollingUpdate']));
    return;
  }
  if (rollingUpdate === undefined) {
    findings.push(required(path, 'this should be defaulted and never be nil'));
    return;
  }
  const { maxSurge, maxUnavailable } = rollingUpdate;
  checkCountOrPercent(findings, maxUnavailable, `${path}.maxUnavailable`);
  checkCountOrPercent(findings, maxSurge, `${path}.maxSurge`);
  if (countOrPercentNumber(maxUnavailable) === 0 && countOrPercentNumber(maxSurge) === 0) {
    findings.push(invalid(`${path}.maxUnavailable`, maxUnavailable, 'may not be 0 when `maxSurge` is 0'));
  }
  checkAtMostAllPercent(findings, maxUnavailable, `${path}.maxUnavailable`);
}
