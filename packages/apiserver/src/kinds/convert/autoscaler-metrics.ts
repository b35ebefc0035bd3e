// A metric as autoscaling/v1 writes it into an annotation: flat, with names of its own.
import type { CrossVersionObjectReference, LabelSelector, MetricSpec, MetricStatus, MetricTarget } from '@wherry/api';

type Json = Readonly<Record<string, unknown>>;

export function writeMetric(metric: MetricSpec): Json {
  const { containerResource, external, object, pods, resource, type } = metric;
  return {
    type,
    ...(object && {
      object: present({
        target: object.describedObject,
        metricName: object.metric.name,
        selector: object.metric.selector,
        targetValue: object.target.value ?? '0',
        averageValue: object.target.averageValue,
      }),
    }),
    ...(pods && {
      pods: present({
        metricName: pods.metric.name,
        selector: pods.metric.selector,
        targetAverageValue: pods.target.averageValue,
      }),
    }),
    ...(resource && { resource: present({ name: resource.name, ...writeShare(resource.target) }) }),
    ...(containerResource && {
      containerResource: present({
        name: containerResource.name,
        container: containerResource.container,
        ...writeShare(containerResource.target),
      }),
    }),
    ...(external && {
      external: present({
        metricName: external.metric.name,
        metricSelector: external.metric.selector,
        targetValue: external.target.value,
        targetAverageValue: external.target.averageValue,
      }),
    }),
  };
}

export function readMetric(json: Json): MetricSpec {
  const { containerResource, external, object, pods, resource } = json as Readonly<Record<string, Json | undefined>>;
  return {
    type: String(json['type'] ?? ''),
    ...(object && {
      object: {
        describedObject: object['target'] as CrossVersionObjectReference,
        metric: identifier(object['metricName'], object['selector']),
        target: target(object['targetValue'], object['averageValue'], undefined),
      },
    }),
    ...(pods && {
      pods: {
        metric: identifier(pods['metricName'], pods['selector']),
        target: target(undefined, pods['targetAverageValue'], undefined),
      },
    }),
    ...(resource && { resource: { name: String(resource['name']), target: readShare(resource) } }),
    ...(containerResource && {
      containerResource: {
        name: String(containerResource['name']),
        container: String(containerResource['container']),
        target: readShare(containerResource),
      },
    }),
    ...(external && {
      external: {
        metric: identifier(external['metricName'], external['metricSelector']),
        target: target(external['targetValue'], external['targetAverageValue'], undefined),
      },
    }),
  };
}

export function writeMetricStatus(status: MetricStatus): Json {
  const { containerResource, external, object, pods, resource, type } = status;
  return {
    type,
    ...(object && {
      object: present({
        target: object.describedObject,
        metricName: object.metric.name,
        selector: object.metric.selector,
        currentValue: object.current.value ?? '0',
        averageValue: object.current.averageValue,
      }),
    }),
    ...(pods && {
      pods: present({
        metricName: pods.metric.name,
        selector: pods.metric.selector,
        currentAverageValue: pods.current.averageValue,
      }),
    }),
    ...(resource && { resource: present({ name: resource.name, ...writeCurrent(resource.current) }) }),
    ...(containerResource && {
      containerResource: present({
        name: containerResource.name,
        container: containerResource.container,
        ...writeCurrent(containerResource.current),
      }),
    }),
    ...(external && {
      external: present({
        metricName: external.metric.name,
        metricSelector: external.metric.selector,
        currentValue: external.current.value ?? '0',
        currentAverageValue: external.current.averageValue,
      }),
    }),
  };
}

export function readMetricStatus(json: Json): MetricStatus {
  const { containerResource, external, object, pods, resource } = json as Readonly<Record<string, Json | undefined>>;
  return {
    type: String(json['type'] ?? ''),
    ...(object && {
      object: {
        describedObject: object['target'] as CrossVersionObjectReference,
        metric: identifier(object['metricName'], object['selector']),
        current: amounts(object['currentValue'], object['averageValue'], undefined),
      },
    }),
    ...(pods && {
      pods: {
        metric: identifier(pods['metricName'], pods['selector']),
        current: amounts(undefined, pods['currentAverageValue'], undefined),
      },
    }),
    ...(resource && { resource: { name: String(resource['name']), current: readCurrent(resource) } }),
    ...(containerResource && {
      containerResource: {
        name: String(containerResource['name']),
        container: String(containerResource['container']),
        current: readCurrent(containerResource),
      },
    }),
    ...(external && {
      external: {
        metric: identifier(external['metricName'], external['metricSelector']),
        current: amounts(external['currentValue'], external['currentAverageValue'], undefined),
      },
    }),
  };
}

interface Amounts {
  readonly value?: string;
  readonly averageValue?: string;
  readonly averageUtilization?: number;
}

function writeShare({ averageUtilization, averageValue }: MetricTarget): Json {
  return { targetAverageUtilization: averageUtilization, targetAverageValue: averageValue };
}

function readShare(json: Json): MetricTarget {
  return target(undefined, json['targetAverageValue'], json['targetAverageUtilization']);
}

function writeCurrent({ averageUtilization, averageValue }: Amounts): Json {
  return { currentAverageUtilization: averageUtilization, currentAverageValue: averageValue ?? '0' };
}

function readCurrent(json: Json): Amounts {
  return amounts(undefined, json['currentAverageValue'], json['currentAverageUtilization']);
}

function amounts(value: unknown, averageValue: unknown, averageUtilization: unknown): Amounts {
  return {
    ...(typeof value === 'string' ? { value } : {}),
    ...(typeof averageValue === 'string' ? { averageValue } : {}),
    ...(typeof averageUtilization === 'number' ? { averageUtilization } : {}),
  };
}

/** v1 does not name the type of a target: it is that of the value it gives. */
function target(value: unknown, averageValue: unknown, averageUtilization: unknown): MetricTarget {
  const given = amounts(averageValue === undefined ? value : undefined, averageValue, averageUtilization);
  const type =
    given.averageUtilization !== undefined
      ? 'Utilization'
      : given.averageValue !== undefined
        ? 'AverageValue'
        : 'Value';
  return { type, ...given };
}

function identifier(name: unknown, selector: unknown): { readonly name: string; readonly selector?: LabelSelector } {
  return { name: String(name ?? ''), ...(selector ? { selector: selector as LabelSelector } : {}) };
}

function present(json: Json): Json {
  return Object.fromEntries(Object.entries(json).filter(([, value]) => value !== undefined));
}
