import type { HorizontalPodAutoscaler, PodDisruptionBudget, PriorityClass } from '@wherry/api';
import { selectorText } from '../kube/selector-text.ts';
import { type Describer, describeConditions, describeName, describeWords } from './describer.ts';
import { timeText } from './times.ts';

export const describeDisruptionBudget: Describer<PodDisruptionBudget> = (budget, outline) => {
  const { spec, status } = budget;
  describeName(outline, budget)
    .field('Min available', spec?.minAvailable)
    .field('Max unavailable', spec?.maxUnavailable)
    .field('Selector', spec?.selector === undefined ? '<unset>' : selectorText(spec.selector))
    .row('Status:')
    .inner('    ')
    .field('Allowed disruptions', status?.disruptionsAllowed ?? 0)
    .field('Current', status?.currentHealthy ?? 0)
    .field('Desired', status?.desiredHealthy ?? 0)
    .field('Total', status?.expectedPods ?? 0);
};

export const describePriorityClass: Describer<PriorityClass> = (priorityClass, outline) => {
  const { metadata, value, globalDefault = false, preemptionPolicy, description = '' } = priorityClass;
  outline
    .field('Name', metadata?.name)
    .field('Value', value)
    .field('GlobalDefault', globalDefault)
    .field('PreemptionPolicy', preemptionPolicy)
    .field('Description', description)
    .annotations('Annotations', metadata?.annotations);
};

type Metric = NonNullable<NonNullable<HorizontalPodAutoscaler['spec']>['metrics']>[number];
type MetricStatus = NonNullable<NonNullable<HorizontalPodAutoscaler['status']>['currentMetrics']>[number];

export const describeAutoscaler: Describer<HorizontalPodAutoscaler> = (autoscaler, outline) => {
  const { metadata, spec, status } = autoscaler;
  const target = spec?.scaleTargetRef;
  describeName(outline, autoscaler);
  describeWords(outline, autoscaler)
    .field('CreationTimestamp', timeText(metadata?.creationTimestamp))
    .field('Reference', `${target?.kind}/${target?.name}`)
    .field('Metrics', '( current / target )');
  const inner = outline.inner();
  (spec?.metrics ?? []).forEach(
    (metric, index) => void inner.row(...metricRow(metric, status?.currentMetrics?.[index])),
  );
  outline
    .field('Min replicas', spec?.minReplicas ?? '<unset>')
    .field('Max replicas', spec?.maxReplicas)
    .field(`${target?.kind} pods`, `${status?.currentReplicas ?? 0} current / ${status?.desiredReplicas ?? 0} desired`);
  describeConditions(outline, status?.conditions);
};

function metricRow(metric: Metric, now: MetricStatus | undefined): readonly string[] {
  const { resource, pods, object, external } = metric;
  if (resource !== undefined) {
    const { target, name } = resource;
    if (target.averageUtilization !== undefined) {
      const current = now?.resource?.current;
      const text =
        current?.averageUtilization === undefined
          ? '<unknown>'
          : `${current.averageUtilization}% (${current.averageValue})`;
      return [`resource ${name} on pods  (as a percentage of request):`, `${text} / ${target.averageUtilization}%`];
    }
    return [
      `resource ${name} on pods:`,
      `${now?.resource?.current.averageValue ?? '<unknown>'} / ${target.averageValue}`,
    ];
  }
  if (pods !== undefined) {
    return [
      `"${pods.metric.name}" on pods:`,
      `${now?.pods?.current.averageValue ?? '<unknown>'} / ${pods.target.averageValue}`,
    ];
  }
  if (object !== undefined) {
    const { kind, name } = object.describedObject;
    const current = now?.object?.current;
    return [
      `"${object.metric.name}" on ${kind}/${name}:`,
      `${current?.value ?? current?.averageValue ?? '<unknown>'} / ${object.target.value ?? object.target.averageValue}`,
    ];
  }
  const current = now?.external?.current;
  return [
    `"${external?.metric.name}" (external):`,
    `${current?.value ?? current?.averageValue ?? '<unknown>'} / ${external?.target.value ?? external?.target.averageValue}`,
  ];
}
