import type { HorizontalPodAutoscaler, HorizontalPodAutoscalerSpec, MetricSpec } from '@wherry/api';
import { describe, expect, it } from 'vitest';
import { createRefusals, row, updateRefusals } from '../validation-cases.ts';
import { autoscalerStrategy } from './strategy.ts';

const cpu: MetricSpec = {
  type: 'Resource',
  resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } },
};
const queue: MetricSpec = {
  type: 'External',
  external: { metric: { name: 'queue' }, target: { type: 'AverageValue', averageValue: '30' } },
};

function autoscaler(change: Partial<HorizontalPodAutoscalerSpec> = {}): HorizontalPodAutoscaler {
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: 'web', namespace: 'default' },
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
      minReplicas: 1,
      maxReplicas: 5,
      metrics: [cpu],
      ...change,
    },
  };
}

describe('an autoscaler', () => {
  const cases: readonly (readonly [string, Partial<HorizontalPodAutoscalerSpec>, readonly string[]])[] = [
    ['one metric', {}, []],
    ['all kinds of metrics', { metrics: [cpu, queue] }, []],
    [
      'no room',
      { maxReplicas: 0, minReplicas: 1 },
      [
        'spec.maxReplicas: Invalid value: 0: must be greater than 0',
        'spec.maxReplicas: Invalid value: 0: must be greater than or equal to `minReplicas`',
      ],
    ],
    [
      'a minimum of nothing',
      { minReplicas: 0 },
      [
        'spec.minReplicas: Invalid value: 0: must be greater than or equal to 1',
        'spec.metrics: Forbidden: must specify at least one Object or External metric to support scaling to zero replicas',
      ],
    ],
    [
      'nothing to scale',
      { scaleTargetRef: { kind: '', name: 'a/b' } },
      [
        'spec.scaleTargetRef.kind: Required value',
        'spec.scaleTargetRef.name: Invalid value: "a/b": may not contain \'/\'',
      ],
    ],
    [
      'an unknown metric',
      { metrics: [{ type: 'Mood' }] },
      [
        'spec.metrics[0].type: Unsupported value: "Mood": supported values: "ContainerResource", "External", "Object", "Pods", "Resource"',
      ],
    ],
    [
      'a metric without its source',
      { metrics: [{ type: 'Pods' }] },
      ['spec.metrics[0].pods: Required value: must populate information for the given metric source'],
    ],
    [
      'two targets of one metric',
      {
        metrics: [
          {
            type: 'Resource',
            resource: { name: 'cpu', target: { type: 'Value', averageUtilization: 1, averageValue: '1' } },
          },
        ],
      },
      [
        'spec.metrics[0].resource.target.averageValue: Forbidden: may not set both a target raw value and a target utilization',
      ],
    ],
    [
      'a window of more than an hour',
      { behavior: { scaleUp: { stabilizationWindowSeconds: 3601 } } },
      ['spec.behavior.scaleUp.stabilizationWindowSeconds: Invalid value: 3601: must be less than or equal to 3600'],
    ],
    [
      'steps of nothing',
      { behavior: { scaleDown: { policies: [{ type: 'Pods', value: 0, periodSeconds: 1 }] } } },
      ['spec.behavior.scaleDown.policies[0].value: Invalid value: 0: must be greater than zero'],
    ],
  ];
  it.each(cases)('with %s', (_name, change, refusals) => {
    expect(createRefusals(autoscalerStrategy, autoscaler(change))).toEqual(refusals);
  });

  it('that is at nothing may stay there', () => {
    const resting = autoscaler({ minReplicas: 0, metrics: [queue] });
    expect(updateRefusals(autoscalerStrategy, resting, { ...resting, metadata: { name: 'web' } })).toEqual([]);
  });

  it('is shown with its metrics', () => {
    const status = {
      currentReplicas: 2,
      desiredReplicas: 2,
      currentMetrics: [{ type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: 40 } } }],
    };
    expect(row(autoscalerStrategy, { ...autoscaler({ metrics: [cpu, queue, cpu] }), status })).toMatchObject({
      Reference: 'Deployment/web',
      Targets: 'cpu: 40%/80%, <unknown>/30 (avg) + 1 more...',
      MinPods: '1',
      MaxPods: 5,
      Replicas: 2,
    });
  });
});
