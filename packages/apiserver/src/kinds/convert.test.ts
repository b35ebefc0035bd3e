import type {
  ApiObject,
  Event,
  EventsV1Event,
  HorizontalPodAutoscaler,
  HorizontalPodAutoscalerV1,
  MetricSpec,
} from '@wherry/api';
import { describe, expect, it, test } from 'vitest';
import { converterOf } from './convert.ts';

const autoscalers = { group: 'autoscaling', resource: 'horizontalpodautoscalers' };
const old = { ...autoscalers, version: 'v1' };
const stored = { ...autoscalers, version: 'v2' };

function convert<T extends ApiObject>(object: ApiObject, from: typeof old, to: typeof old): T {
  return (converterOf(from, to)?.(object) ?? object) as T;
}

test('one version needs no conversion', () => {
  expect(converterOf(stored, stored)).toBeUndefined();
});

test('versions that differ only in name are renamed', () => {
  const claims = { group: 'networking.k8s.io', resource: 'ipaddresses' };
  const object = { apiVersion: 'networking.k8s.io/v1beta1', kind: 'IPAddress', spec: { a: 1 } };
  expect(convert(object, { ...claims, version: 'v1beta1' }, { ...claims, version: 'v1' })).toEqual({
    ...object,
    apiVersion: 'networking.k8s.io/v1',
  });
});

describe('autoscalers', () => {
  const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' };
  const cpu: MetricSpec = {
    type: 'Resource',
    resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 60 } },
  };
  const v1: HorizontalPodAutoscalerV1 = {
    apiVersion: 'autoscaling/v1',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: 'web', annotations: { mine: 'yes' } },
    spec: { scaleTargetRef, minReplicas: 1, maxReplicas: 5, targetCPUUtilizationPercentage: 60 },
    status: { currentReplicas: 1, desiredReplicas: 2, currentCPUUtilizationPercentage: 90 },
  };

  it('keep their CPU target', () => {
    const v2 = convert<HorizontalPodAutoscaler>(v1, old, stored);
    expect(v2).toMatchObject({ apiVersion: 'autoscaling/v2', spec: { metrics: [cpu], maxReplicas: 5 } });
    expect(v2.status?.currentMetrics?.[0]?.resource?.current).toEqual({ averageUtilization: 90 });
    expect(convert(v2, stored, old)).toEqual(v1);
  });

  it('aim for 80 % of the CPU when v1 names nothing', () => {
    const { targetCPUUtilizationPercentage: _target, ...spec } = v1.spec ?? { scaleTargetRef, maxReplicas: 5 };
    const bare: HorizontalPodAutoscalerV1 = { ...v1, spec };
    expect(convert<HorizontalPodAutoscaler>(bare, old, stored).spec?.metrics).toMatchObject([
      { resource: { target: { averageUtilization: 80 } } },
    ]);
  });

  it('carry what v1 does not know in annotations, as upstream writes them', () => {
    const v2: HorizontalPodAutoscaler = {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: 'web' },
      spec: {
        scaleTargetRef,
        maxReplicas: 5,
        metrics: [
          cpu,
          {
            type: 'External',
            external: { metric: { name: 'q' }, target: { type: 'AverageValue', averageValue: '30' } },
          },
          { type: 'Pods', pods: { metric: { name: 'p' }, target: { type: 'AverageValue', averageValue: '1k' } } },
          {
            type: 'Object',
            object: {
              describedObject: { kind: 'Ingress', name: 'i' },
              metric: { name: 'o', selector: { matchLabels: { a: 'b' } } },
              target: { type: 'Value', value: '10' },
            },
          },
          {
            type: 'ContainerResource',
            containerResource: {
              name: 'memory',
              container: 'c',
              target: { type: 'Utilization', averageUtilization: 5 },
            },
          },
        ],
        behavior: { scaleDown: { stabilizationWindowSeconds: 10 } },
      },
      status: {
        desiredReplicas: 1,
        currentReplicas: 1,
        conditions: [{ type: 'AbleToScale', status: 'True' }],
        currentMetrics: [
          { type: 'External', external: { metric: { name: 'q' }, current: { value: '0', averageValue: '20' } } },
        ],
      },
    };
    const seen = convert<HorizontalPodAutoscalerV1>(v2, stored, old);
    expect(seen.spec).toMatchObject({ targetCPUUtilizationPercentage: 60 });
    expect(JSON.parse(seen.metadata?.annotations?.['autoscaling.alpha.kubernetes.io/metrics'] ?? '')[0]).toEqual({
      type: 'External',
      external: { metricName: 'q', targetAverageValue: '30' },
    });
    const back = convert<HorizontalPodAutoscaler>(seen, old, stored);
    expect(back.metadata).toEqual({ name: 'web' });
    expect(back.spec?.behavior).toEqual(v2.spec?.behavior);
    const [first, ...others] = v2.spec?.metrics ?? [];
    expect(back.spec?.metrics).toEqual([...others, first]);
    expect(back.status?.conditions).toEqual(v2.status?.conditions);
  });

  it('ignore annotations that nobody can read', () => {
    const annotations = {
      'autoscaling.alpha.kubernetes.io/metrics': '{',
      'autoscaling.alpha.kubernetes.io/behavior': '[]',
    };
    const v2 = convert<HorizontalPodAutoscaler>({ ...v1, metadata: { name: 'web', annotations } }, old, stored);
    expect(v2.spec?.metrics).toEqual([cpu]);
    expect(v2.spec?.behavior).toBeUndefined();
  });
});

describe('events', () => {
  const coreEvents = { group: '', version: 'v1', resource: 'events' };
  const newEvents = { group: 'events.k8s.io', version: 'v1', resource: 'events' };
  const event: EventsV1Event = {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: { name: 'e', namespace: 'default' },
    eventTime: '2026-01-01T00:00:00.000000Z',
    regarding: { kind: 'Pod', name: 'web' },
    related: { kind: 'Node', name: 'n' },
    note: 'started',
    reason: 'Started',
    type: 'Normal',
    action: 'Start',
    reportingController: 'example.com/c',
    reportingInstance: 'c-1',
    series: { count: 2, lastObservedTime: '2026-01-01T00:00:00.000000Z' },
  };

  it('have other names in each group', () => {
    const core = convert<Event>(event, newEvents, coreEvents);
    expect(core).toMatchObject({
      apiVersion: 'v1',
      involvedObject: { name: 'web' },
      message: 'started',
      reportingComponent: 'example.com/c',
      related: { name: 'n' },
    });
    expect(convert(core, coreEvents, newEvents)).toEqual(event);
  });

  it('of the older kind keep their times and counts', () => {
    const core: Event = {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: 'e', namespace: 'default' },
      involvedObject: { kind: 'Pod' },
      count: 3,
      source: { component: 'kubelet' },
      firstTimestamp: '2026-01-01T00:00:00Z',
      lastTimestamp: '2026-01-01T00:00:01Z',
    };
    const seen = convert<EventsV1Event>(core, coreEvents, newEvents);
    expect(seen).toMatchObject({ deprecatedCount: 3, deprecatedSource: { component: 'kubelet' } });
    // The newer kind always has an eventTime, if only an empty one.
    expect(convert(seen, newEvents, coreEvents)).toEqual({ ...core, eventTime: null });
  });
});

describe('devices', () => {
  const of = (resource: string, version: string): typeof old => ({ group: 'resource.k8s.io', version, resource });

  it('are requested flat in v1beta1', () => {
    const claim = {
      apiVersion: 'resource.k8s.io/v1beta1',
      kind: 'ResourceClaim',
      spec: {
        devices: {
          requests: [
            { name: 'a', deviceClassName: 'gpu', count: 2 },
            { name: 'b', firstAvailable: [] },
          ],
        },
      },
    };
    const result = convert(claim, of('resourceclaims', 'v1beta1'), of('resourceclaims', 'v1'));
    expect(result).toMatchObject({
      apiVersion: 'resource.k8s.io/v1',
      spec: {
        devices: {
          requests: [
            { name: 'a', exactly: { deviceClassName: 'gpu', count: 2 } },
            { name: 'b', firstAvailable: [] },
          ],
        },
      },
    });
    expect(convert(result, of('resourceclaims', 'v1'), of('resourceclaims', 'v1beta1'))).toEqual(claim);
  });

  it('are described one level deeper in v1beta1', () => {
    const slice = {
      apiVersion: 'resource.k8s.io/v1',
      kind: 'ResourceSlice',
      spec: { devices: [{ name: 'gpu-0', attributes: { model: { string: 'x' } } }] },
    };
    const seen = convert(slice, of('resourceslices', 'v1'), of('resourceslices', 'v1beta1'));
    expect(seen).toMatchObject({ spec: { devices: [{ name: 'gpu-0', basic: { attributes: {} } }] } });
    expect(convert(seen, of('resourceslices', 'v1beta1'), of('resourceslices', 'v1'))).toEqual(slice);
  });
});
