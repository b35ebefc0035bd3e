import type {
  ApiObject,
  HorizontalPodAutoscaler,
  HorizontalPodAutoscalerV1,
  MetricSpec,
  MetricStatus,
} from '@wherry/api';
import type { Conversion } from './conversion.ts';

/** What v1 has no field for travels in annotations, as upstream does it. */
const METRICS = 'autoscaling.alpha.kubernetes.io/metrics';
const CURRENT_METRICS = 'autoscaling.alpha.kubernetes.io/current-metrics';
const CONDITIONS = 'autoscaling.alpha.kubernetes.io/conditions';
const BEHAVIOR = 'autoscaling.alpha.kubernetes.io/behavior';

export function convertAutoscaler(servedVersion: string, storedVersion: string): Conversion {
  return {
    toStored: (object) => toV2(object as HorizontalPodAutoscalerV1, storedVersion),
    fromStored: (object) => toV1(object as HorizontalPodAutoscaler, servedVersion),
  };
}

function toV2(v1: HorizontalPodAutoscalerV1, apiVersion: string): ApiObject {
  const { annotations, taken } = takeAnnotations(v1.metadata?.annotations);
  const target = v1.spec?.targetCPUUtilizationPercentage;
  const cpu: readonly MetricSpec[] =
    target === undefined
      ? []
      : [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: target } } }];
  const others = parseList<MetricSpec>(taken[METRICS]);
  const metrics = [...others, ...cpu];
  const { targetCPUUtilizationPercentage: _target, ...spec } = v1.spec ?? { maxReplicas: 0, scaleTargetRef: { kind: '', name: '' } };
  const { currentCPUUtilizationPercentage: current, ...status } = v1.status ?? { currentReplicas: 0, desiredReplicas: 0 };
  const currentMetrics: readonly MetricStatus[] = [
    ...parseList<MetricStatus>(taken[CURRENT_METRICS]),
    ...(current === undefined
      ? []
      : [{ type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: current } } }]),
  ];
  const behavior = taken[BEHAVIOR];
  const result: HorizontalPodAutoscaler = {
    apiVersion,
    kind: 'HorizontalPodAutoscaler',
    metadata: withAnnotations(v1.metadata, annotations),
    spec: {
      ...spec,
      ...(metrics.length === 0 ? {} : { metrics }),
      ...(behavior === undefined ? {} : { behavior: JSON.parse(behavior) as object }),
    },
    status: {
      ...status,
      ...(currentMetrics.length === 0 ? {} : { currentMetrics }),
      ...(taken[CONDITIONS] === undefined ? {} : { conditions: parseList(taken[CONDITIONS]) }),
    },
  };
  return result;
}

function toV1(v2: HorizontalPodAutoscaler, apiVersion: string): ApiObject {
  const { metrics = [], behavior, ...spec } = v2.spec ?? { maxReplicas: 0, scaleTargetRef: { kind: '', name: '' } };
  const cpu = metrics.find(isCpuUtilization);
  const others = metrics.filter((metric) => metric !== cpu);
  const { currentMetrics = [], conditions, ...status } = v2.status ?? { desiredReplicas: 0 };
  const currentCpu = currentMetrics.find(({ resource }) => resource?.name === 'cpu');
  const otherCurrent = currentMetrics.filter((metric) => metric !== currentCpu);
  const annotations: Record<string, string> = { ...v2.metadata?.annotations };
  if (others.length > 0) {
    annotations[METRICS] = JSON.stringify(others);
  }
  if (otherCurrent.length > 0) {
    annotations[CURRENT_METRICS] = JSON.stringify(otherCurrent);
  }
  if (conditions !== undefined && conditions.length > 0) {
    annotations[CONDITIONS] = JSON.stringify(conditions);
  }
  if (behavior !== undefined) {
    annotations[BEHAVIOR] = JSON.stringify(behavior);
  }
  const target = cpu?.resource?.target.averageUtilization;
  const current = currentCpu?.resource?.current.averageUtilization;
  const result: HorizontalPodAutoscalerV1 = {
    apiVersion,
    kind: 'HorizontalPodAutoscaler',
    metadata: withAnnotations(v2.metadata, annotations),
    spec: { ...spec, ...(target === undefined ? {} : { targetCPUUtilizationPercentage: target }) },
    status: {
      ...status,
      currentReplicas: status.currentReplicas ?? 0,
      ...(current === undefined ? {} : { currentCPUUtilizationPercentage: current }),
    },
  };
  return result;
}

function isCpuUtilization(metric: MetricSpec): boolean {
  return metric.resource?.name === 'cpu' && metric.resource.target.averageUtilization !== undefined;
}

function takeAnnotations(annotations: Readonly<Record<string, string>> | undefined): {
  annotations: Record<string, string>;
  taken: Record<string, string>;
} {
  const kept: Record<string, string> = {};
  const taken: Record<string, string> = {};
  for (const [key, value] of Object.entries(annotations ?? {})) {
    const ours = key === METRICS || key === CURRENT_METRICS || key === CONDITIONS || key === BEHAVIOR;
    (ours ? taken : kept)[key] = value;
  }
  return { annotations: kept, taken };
}

function withAnnotations(metadata: ApiObject['metadata'], annotations: Record<string, string>): NonNullable<ApiObject['metadata']> {
  const { annotations: _old, ...rest } = metadata ?? {};
  return Object.keys(annotations).length === 0 ? rest : { ...rest, annotations };
}

function parseList<T>(text: string | undefined): readonly T[] {
  return text === undefined ? [] : (JSON.parse(text) as readonly T[]);
}
