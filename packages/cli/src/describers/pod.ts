import { controllerOf, type Pod } from '@wherry/api';
import { ageText } from '../printers/age.ts';
import { describeContainers } from './container.ts';
import { type Describer, describeName, describeWords } from './describer.ts';
import type { Outline } from './outline.ts';
import { describeTolerations } from './pod-template.ts';
import { timeText } from './times.ts';
import { describeVolumes } from './volumes.ts';

export const describePod: Describer<Pod> = (pod, outline, { nowMs }) => {
  const { spec, status, metadata } = pod;
  const owner = controllerOf(metadata);
  describeName(outline, pod)
    .field('Priority', spec?.priority)
    .field('Priority Class Name', spec?.priorityClassName)
    .field('Runtime Class Name', spec?.runtimeClassName)
    .field('Service Account', spec?.serviceAccountName)
    .field('Node', spec?.nodeName === undefined ? '<none>' : `${spec.nodeName}/${status?.hostIP ?? ''}`)
    .field('Start Time', timeText(status?.startTime));
  describeWords(outline, pod);
  describePhase(outline, pod, nowMs);
  outline
    .field('Reason', status?.reason)
    .field('Message', status?.message)
    .field('SeccompProfile', spec?.securityContext?.seccompProfile?.type)
    .field('IP', status?.podIP ?? '');
  const ips = status?.podIPs ?? [];
  if (ips.length === 0) outline.field('IPs', '<none>');
  else {
    outline.row('IPs:');
    for (const { ip } of ips) outline.inner().field('IP', ip);
  }
  outline
    .field('Controlled By', owner === undefined ? undefined : `${owner.kind}/${owner.name}`)
    .field('NominatedNodeName', status?.nominatedNodeName);
  describeContainers(outline, 'Init Containers', spec?.initContainers, status?.initContainerStatuses, pod, false);
  describeContainers(outline, 'Containers', spec?.containers, status?.containerStatuses, pod, false);
  describeContainers(
    outline,
    'Ephemeral Containers',
    spec?.ephemeralContainers,
    status?.ephemeralContainerStatuses,
    pod,
    false,
  );
  describeReadiness(outline, pod);
  describeVolumes(outline, spec?.volumes, false);
  outline.field('QoS Class', status?.qosClass).labels('Node-Selectors', spec?.nodeSelector);
  describeTolerations(outline, spec?.tolerations);
  const spreads = (spec?.topologySpreadConstraints ?? []).map(
    ({ topologyKey, whenUnsatisfiable, maxSkew, labelSelector }) =>
      `${topologyKey}:${whenUnsatisfiable} when max skew ${maxSkew} is exceeded${
        labelSelector === undefined
          ? ''
          : ` for selector ${Object.entries(labelSelector.matchLabels ?? {})
              .map(([key, value]) => `${key}=${value}`)
              .join(',')}`
      }`,
  );
  if (spreads.length > 0) outline.list('Topology Spread Constraints', spreads);
};

function describePhase(outline: Outline, { metadata, status }: Pod, nowMs: number): void {
  const isOver = status?.phase === 'Failed' || status?.phase === 'Succeeded';
  if (metadata?.deletionTimestamp === undefined || isOver) {
    outline.field('Status', status?.phase ?? '');
    return;
  }
  outline
    .field('Status', `Terminating (lasts ${ageText(nowMs - Date.parse(metadata.deletionTimestamp))})`)
    .field('Termination Grace Period', `${metadata.deletionGracePeriodSeconds ?? 0}s`);
}

function describeReadiness(outline: Outline, { spec, status }: Pod): void {
  const gates = spec?.readinessGates ?? [];
  const conditions = status?.conditions ?? [];
  if (gates.length > 0) {
    outline.block('Readiness Gates', (inner) => {
      inner.row('Type', 'Status');
      for (const { conditionType } of gates) {
        inner.row(`${conditionType} `, `${conditions.find(({ type }) => type === conditionType)?.status ?? '<none>'} `);
      }
    });
  }
  if (conditions.length === 0) return;
  outline.block('Conditions', (inner) => {
    inner.row('Type', 'Status');
    for (const { type, status: value } of conditions) inner.row(`${type} `, `${value} `);
  });
}
