// HorizontalPodAutoscalers: autoscaling/v1 knows one metric, the CPU; what v2 has beyond it travels in annotations.
import type {
  HorizontalPodAutoscaler,
  HorizontalPodAutoscalerBehavior,
  HorizontalPodAutoscalerCondition,
  HorizontalPodAutoscalerV1,
  MetricSpec,
  MetricStatus,
  ObjectMeta,
} from '@wherry/api';
import { readMetric, readMetricStatus, writeMetric, writeMetricStatus } from './autoscaler-metrics.ts';

const metricsAnnotation = 'autoscaling.alpha.kubernetes.io/metrics';
const currentMetricsAnnotation = 'autoscaling.alpha.kubernetes.io/current-metrics';
const conditionsAnnotation = 'autoscaling.alpha.kubernetes.io/conditions';
const behaviorAnnotation = 'autoscaling.alpha.kubernetes.io/behavior';
const carried = [metricsAnnotation, currentMetricsAnnotation, conditionsAnnotation, behaviorAnnotation];

const utilizationPercentDefault = 80;

export function autoscalerToV2(old: HorizontalPodAutoscalerV1): HorizontalPodAutoscaler {
  const annotations = old.metadata?.annotations ?? {};
  const others = readList(annotations[metricsAnnotation])?.map(readMetric) ?? [];
  const percent = old.spec?.targetCPUUtilizationPercentage;
  const usesDefault = percent === undefined && others.length === 0;
  const cpu = percent ?? (usesDefault ? utilizationPercentDefault : undefined);
  const metrics = cpu === undefined ? others : [...others, cpuMetric(cpu)];
  const behavior = readObject(annotations[behaviorAnnotation]) as HorizontalPodAutoscalerBehavior | undefined;
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    ...(old.metadata === undefined ? {} : { metadata: withoutCarried(old.metadata) }),
    ...(old.spec === undefined
      ? {}
      : {
          spec: {
            scaleTargetRef: old.spec.scaleTargetRef,
            maxReplicas: old.spec.maxReplicas,
            ...(old.spec.minReplicas === undefined ? {} : { minReplicas: old.spec.minReplicas }),
            metrics,
            ...(behavior === undefined ? {} : { behavior }),
          },
        }),
    ...(old.status === undefined ? {} : { status: statusToV2(old.status, annotations) }),
  };
}

export function autoscalerToV1(next: HorizontalPodAutoscaler): HorizontalPodAutoscalerV1 {
  const metrics = next.spec?.metrics ?? [];
  const cpuIndex = metrics.findIndex(isCpuUtilization);
  const percent = metrics[cpuIndex]?.resource?.target.averageUtilization;
  const others = metrics.filter((_, index) => index !== cpuIndex);
  const { conditions, currentMetrics, ...status } = next.status ?? { desiredReplicas: 0 };
  const cpuStatus = (currentMetrics ?? []).find(isCpuStatus);
  const otherStatuses = (currentMetrics ?? []).filter((metric) => metric !== cpuStatus);
  const annotations = {
    ...annotation(metricsAnnotation, others.map(writeMetric)),
    ...annotation(currentMetricsAnnotation, otherStatuses.map(writeMetricStatus)),
    ...annotation(conditionsAnnotation, conditions ?? []),
    ...(next.spec?.behavior === undefined ? {} : { [behaviorAnnotation]: JSON.stringify(next.spec.behavior) }),
  };
  const currentPercent = cpuStatus?.resource?.current.averageUtilization;
  return {
    apiVersion: 'autoscaling/v1',
    kind: 'HorizontalPodAutoscaler',
    ...(next.metadata === undefined ? {} : { metadata: withAnnotations(next.metadata, annotations) }),
    ...(next.spec === undefined
      ? {}
      : {
          spec: {
            scaleTargetRef: next.spec.scaleTargetRef,
            maxReplicas: next.spec.maxReplicas,
            ...(next.spec.minReplicas === undefined ? {} : { minReplicas: next.spec.minReplicas }),
            ...(percent === undefined ? {} : { targetCPUUtilizationPercentage: percent }),
          },
        }),
    ...(next.status === undefined
      ? {}
      : {
          status: {
            ...status,
            currentReplicas: status.currentReplicas ?? 0,
            ...(currentPercent === undefined ? {} : { currentCPUUtilizationPercentage: currentPercent }),
          },
        }),
  };
}

function statusToV2(
  status: NonNullable<HorizontalPodAutoscalerV1['status']>,
  annotations: Readonly<Record<string, string>>,
): NonNullable<HorizontalPodAutoscaler['status']> {
  const { currentCPUUtilizationPercentage: percent, ...rest } = status;
  const others = readList(annotations[currentMetricsAnnotation])?.map(readMetricStatus) ?? [];
  const cpu: MetricStatus[] =
    percent === undefined
      ? []
      : [{ type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: percent } } }];
  const conditions = readList(annotations[conditionsAnnotation]) as HorizontalPodAutoscalerCondition[] | undefined;
  const currentMetrics = [...others, ...cpu];
  return {
    ...rest,
    ...(currentMetrics.length === 0 ? {} : { currentMetrics }),
    ...(conditions === undefined ? {} : { conditions }),
  };
}

function cpuMetric(averageUtilization: number): MetricSpec {
  return { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization } } };
}

function isCpuUtilization(metric: MetricSpec): boolean {
  return metric.resource?.name === 'cpu' && metric.resource.target.averageUtilization !== undefined;
}

function isCpuStatus(metric: MetricStatus): boolean {
  return metric.resource?.name === 'cpu' && metric.resource.current.averageUtilization !== undefined;
}

function annotation(key: string, values: readonly unknown[]): Record<string, string> {
  return values.length === 0 ? {} : { [key]: JSON.stringify(values) };
}

function withAnnotations(metadata: ObjectMeta, annotations: Readonly<Record<string, string>>): ObjectMeta {
  if (Object.keys(annotations).length === 0) return metadata;
  return { ...metadata, annotations: { ...metadata.annotations, ...annotations } };
}

function withoutCarried(metadata: ObjectMeta): ObjectMeta {
  const { annotations, ...rest } = metadata;
  if (annotations === undefined) return metadata;
  const kept = Object.entries(annotations).filter(([key]) => !carried.includes(key));
  return kept.length === 0 ? rest : { ...rest, annotations: Object.fromEntries(kept) };
}

type Json = Readonly<Record<string, unknown>>;

/** Annotations are anybody's to write: what cannot be read is left out, as upstream leaves it out. */
function readList(text: string | undefined): Json[] | undefined {
  const value = readJson(text);
  return Array.isArray(value) && value.every(isJson) ? value : undefined;
}

function readObject(text: string | undefined): Json | undefined {
  const value = readJson(text);
  return isJson(value) ? value : undefined;
}

function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function readJson(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
