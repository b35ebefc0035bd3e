import type { HorizontalPodAutoscaler, MetricSpec, MetricStatus } from '@wherry/api';
import { ageColumn, nameColumn, none, shortList, text, unset } from '../cells.ts';
import { checkNonNegative } from '../checks.ts';
import { required } from '../findings.ts';
import { asPrefix, dns1123Subdomain } from '../names.ts';
import { strategyOf } from '../plain.ts';
import { checkAutoscaler } from './validation.ts';

const unknown = '<unknown>';
const shownMax = 2;

/** Sees autoscaling/v2 objects only; v1 is converted before. */
export const autoscalerStrategy = strategyOf<HorizontalPodAutoscaler>({
  validateName: asPrefix(dns1123Subdomain),
  checkCreate: (findings, autoscaler) => {
    if (autoscaler.spec === undefined) findings.push(required('spec.maxReplicas', ''));
    else checkAutoscaler(findings, autoscaler.spec, 1);
  },
  checkUpdate: (findings, next, old) => {
    if (next.spec !== undefined) checkAutoscaler(findings, next.spec, old.spec?.minReplicas === 0 ? 0 : 1);
  },
  checkStatus: (findings, next) => {
    checkNonNegative(findings, next.status?.currentReplicas, 'status.currentReplicas');
    checkNonNegative(findings, next.status?.desiredReplicas, 'status.desiredReplicas');
  },
  columns: [
    nameColumn,
    text('Reference', ({ spec }) => `${spec?.scaleTargetRef.kind ?? ''}/${spec?.scaleTargetRef.name ?? ''}`),
    text('Targets', metricsText),
    text('MinPods', (autoscaler) => (autoscaler.spec?.minReplicas ?? unset).toString()),
    text('MaxPods', (autoscaler) => autoscaler.spec?.maxReplicas ?? 0),
    text('Replicas', (autoscaler) => autoscaler.status?.currentReplicas ?? 0),
    ageColumn,
  ],
});

function metricsText(autoscaler: HorizontalPodAutoscaler): string {
  const metrics = autoscaler.spec?.metrics ?? [];
  if (metrics.length === 0) return none;
  const current = autoscaler.status?.currentMetrics ?? [];
  const texts = metrics.map((metric, index) => metricText(metric, current[index]));
  return shortList(texts, shownMax, texts.length, ', ');
}

function metricText(metric: MetricSpec, status: MetricStatus | undefined): string {
  switch (metric.type) {
    case 'External':
      return valueText(metric.external?.target, status?.external?.current);
    case 'Object':
      return valueText(metric.object?.target, status?.object?.current);
    case 'Pods':
      return `${status?.pods?.current.averageValue ?? unknown}/${metric.pods?.target.averageValue ?? ''}`;
    case 'Resource':
      return `${metric.resource?.name}: ${shareText(metric.resource?.target, status?.resource?.current)}`;
    case 'ContainerResource': {
      const share = shareText(metric.containerResource?.target, status?.containerResource?.current);
      return `${metric.containerResource?.name}: ${share}`;
    }
    default:
      return '<unknown type>';
  }
}

interface Amounts {
  readonly value?: string;
  readonly averageValue?: string;
  readonly averageUtilization?: number;
}

function valueText(target: Amounts | undefined, current: Amounts | undefined): string {
  if (target?.averageValue !== undefined) return `${current?.averageValue ?? unknown}/${target.averageValue} (avg)`;
  return `${current?.value ?? unknown}/${target?.value ?? ''}`;
}

function shareText(target: Amounts | undefined, current: Amounts | undefined): string {
  if (target?.averageValue !== undefined) return `${current?.averageValue ?? unknown}/${target.averageValue}`;
  return `${percent(current?.averageUtilization, unknown)}/${percent(target?.averageUtilization, '<auto>')}`;
}

function percent(value: number | undefined, otherwise: string): string {
  return value === undefined ? otherwise : `${value}%`;
}
