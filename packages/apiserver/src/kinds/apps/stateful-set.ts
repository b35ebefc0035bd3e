import type { StatefulSet, StatefulSetSpec, StatefulSetUpdateStrategy } from '@wherry/api';
import { ageColumn, nameColumn, podColumns, text } from '../cells.ts';
import {
  checkAtMostAllPercent,
  checkCountOrPercent,
  checkNonNegative,
  checkNotDecremented,
  checkSupported,
  countOrPercentNumber,
} from '../checks.ts';
import { templateWarnings } from '../core/pod/warnings.ts';
import { sameValue } from '../equality.ts';
import { type Findings, forbidden, invalid, required } from '../findings.ts';
import { asPrefix, dns1123Label } from '../names.ts';
import { strategyOf } from '../plain.ts';
import { checkReplicaCounts } from '../replica-status.ts';
import { checkWorkloadSelector, checkWorkloadTemplate } from './workload.ts';

const changeable = [
  'replicas',
  'ordinals',
  'template',
  'updateStrategy',
  'revisionHistoryLimit',
  'persistentVolumeClaimRetentionPolicy',
  'minReadySeconds',
] as const;
const retentionPolicies = ['Retain', 'Delete'];

export const statefulSetStrategy = strategyOf<StatefulSet>({
  // Pods are named after the set and its hostnames after the pods.
  validateName: asPrefix(dns1123Label),
  generation: true,
  check: (findings, set) => {
    if (set.spec === undefined) findings.push(required('spec.selector', ''));
    else checkStatefulSetSpec(findings, set.spec);
  },
  checkUpdate: (findings, next, old) => {
    if (sameValue(fixedPart(next.spec), fixedPart(old.spec))) return;
    const names = changeable.map((field) => `'${field}'`);
    const list = `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
    findings.push(forbidden('spec', `updates to statefulset spec for fields other than ${list} are forbidden`));
  },
  checkStatus: (findings, next, old) => {
    checkReplicaCounts(findings, next.status ?? {}, 'status.readyReplicas');
    checkNotDecremented(findings, next.status?.collisionCount, old.status?.collisionCount, 'status.collisionCount');
  },
  warnings: (set) => templateWarnings(set.spec?.template, 'spec.template'),
  columns: [
    nameColumn,
    text('Ready', ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec?.replicas ?? 0}`),
    ageColumn,
    ...podColumns<StatefulSet>((set) => set.spec?.template.spec?.containers),
  ],
});

function checkStatefulSetSpec(findings: Findings, spec: StatefulSetSpec): void {
  const management = spec.podManagementPolicy;
  if (!management) findings.push(required('spec.podManagementPolicy', ''));
  else if (management !== 'OrderedReady' && management !== 'Parallel') {
    findings.push(invalid('spec.podManagementPolicy', management, "must be 'OrderedReady' or 'Parallel'"));
  }
  checkUpdateStrategy(findings, spec.updateStrategy ?? {});
  const retention = spec.persistentVolumeClaimRetentionPolicy;
  const path = 'spec.persistentVolumeClaimRetentionPolicy';
  checkSupported(findings, retention?.whenDeleted, retentionPolicies, `${path}.whenDeleted`);
  checkSupported(findings, retention?.whenScaled, retentionPolicies, `${path}.whenScaled`);
  checkNonNegative(findings, spec.replicas, 'spec.replicas');
  checkNonNegative(findings, spec.minReadySeconds, 'spec.minReadySeconds');
  checkNonNegative(findings, spec.ordinals?.start, 'spec.ordinals.start');
  checkNonNegative(findings, spec.revisionHistoryLimit, 'spec.revisionHistoryLimit');
  checkWorkloadSelector(findings, spec.selector, 'statefulset');
  checkWorkloadTemplate(findings, spec.template, spec.selector, 'StatefulSet');
}

function checkUpdateStrategy(findings: Findings, strategy: StatefulSetUpdateStrategy): void {
  const { rollingUpdate, type } = strategy;
  const path = 'spec.updateStrategy';
  if (!type) {
    findings.push(required(path, ''));
  } else if (type === 'OnDelete') {
    if (rollingUpdate !== undefined) {
      const detail = "only allowed for updateStrategy 'RollingUpdate'";
      findings.push(invalid(`${path}.rollingUpdate`, rollingUpdate, detail));
    }
  } else if (type === 'RollingUpdate') {
    checkNonNegative(findings, rollingUpdate?.partition, `${path}.rollingUpdate.partition`);
    const max = rollingUpdate?.maxUnavailable;
    if (max === undefined) return;
    const at = `${path}.rollingUpdate.maxUnavailable`;
    checkCountOrPercent(findings, max, at);
    if (countOrPercentNumber(max) === 0) findings.push(invalid(at, max, 'cannot be 0'));
    checkAtMostAllPercent(findings, max, at);
  } else {
    findings.push(invalid(path, strategy, "must be 'RollingUpdate' or 'OnDelete'"));
  }
}

function fixedPart(spec: StatefulSetSpec | undefined): object {
  const entries = Object.entries(spec ?? {}).filter(([field]) => !changeable.some((name) => name === field));
  return Object.fromEntries(entries);
}
