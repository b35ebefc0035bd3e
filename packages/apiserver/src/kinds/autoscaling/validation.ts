import type {
  CrossVersionObjectReference,
  HorizontalPodAutoscalerSpec,
  HPAScalingPolicy,
  HPAScalingRules,
  MetricIdentifier,
  MetricSpec,
  MetricTarget,
} from '@wherry/api';
import { checkDnsLabel, checkName, checkRequired, checkSupported } from '../checks.ts';
import { checkContainerResourceName } from '../core/resource-names.ts';
import { type Findings, forbidden, invalid, notSupported, required } from '../findings.ts';
import { pathSegment } from '../names.ts';
import { isNegativeQuantity, isPositiveQuantity } from '../quantities.ts';

const metricTypes = ['ContainerResource', 'External', 'Object', 'Pods', 'Resource'];
const sourceOfType: Readonly<Record<string, Source>> = {
  Object: 'object',
  Pods: 'pods',
  Resource: 'resource',
  External: 'external',
  ContainerResource: 'containerResource',
};
const sources = ['object', 'external', 'pods', 'resource', 'containerResource'] as const;
const stabilizationSecondsMax = 3600;
const periodSecondsMax = 1800;

type Source = (typeof sources)[number];

/** `replicasMin` is 1, or 0 for an autoscaler that is already at 0. */
export function checkAutoscaler(findings: Findings, spec: HorizontalPodAutoscalerSpec, replicasMin: number): void {
  const { maxReplicas, minReplicas } = spec;
  if (minReplicas !== undefined && minReplicas < replicasMin) {
    findings.push(invalid('spec.minReplicas', minReplicas, `must be greater than or equal to ${replicasMin}`));
  }
  if (maxReplicas < 1) findings.push(invalid('spec.maxReplicas', maxReplicas, 'must be greater than 0'));
  if (minReplicas !== undefined && maxReplicas < minReplicas) {
    findings.push(invalid('spec.maxReplicas', maxReplicas, 'must be greater than or equal to `minReplicas`'));
  }
  checkReference(findings, spec.scaleTargetRef, 'spec.scaleTargetRef');
  const metrics = spec.metrics ?? [];
  for (const [index, metric] of metrics.entries()) checkMetric(findings, metric, `spec.metrics[${index}]`);
  if (minReplicas === 0 && !metrics.some(({ type }) => type === 'Object' || type === 'External')) {
    const detail = 'must specify at least one Object or External metric to support scaling to zero replicas';
    findings.push(forbidden('spec.metrics', detail));
  }
  for (const direction of ['scaleUp', 'scaleDown'] as const) {
    const rules = spec.behavior?.[direction];
    if (rules !== undefined) checkRules(findings, rules, `spec.behavior.${direction}`);
  }
}

function checkReference(findings: Findings, reference: CrossVersionObjectReference, path: string): void {
  for (const field of ['kind', 'name'] as const) {
    if (!checkRequired(findings, reference[field], `${path}.${field}`)) continue;
    checkName(findings, pathSegment, reference[field], `${path}.${field}`);
  }
}

function checkRules(findings: Findings, rules: HPAScalingRules, path: string): void {
  const seconds = rules.stabilizationWindowSeconds;
  const at = `${path}.stabilizationWindowSeconds`;
  if (seconds !== undefined && seconds < 0) {
    findings.push(invalid(at, seconds, 'must be greater than or equal to zero'));
  }
  if (seconds !== undefined && seconds > stabilizationSecondsMax) {
    findings.push(invalid(at, seconds, `must be less than or equal to ${stabilizationSecondsMax}`));
  }
  checkSupported(findings, rules.selectPolicy, ['Disabled', 'Max', 'Min'], `${path}.selectPolicy`);
  const policies = rules.policies ?? [];
  if (policies.length === 0) findings.push(required(`${path}.policies`, 'must specify at least one Policy'));
  for (const [index, policy] of policies.entries()) checkPolicy(findings, policy, `${path}.policies[${index}]`);
  if (rules.tolerance !== undefined && isNegativeQuantity(rules.tolerance)) {
    findings.push(invalid(`${path}.tolerance`, rules.tolerance, 'must be greater or equal to zero'));
  }
}

function checkPolicy(findings: Findings, policy: HPAScalingPolicy, path: string): void {
  checkSupported(findings, policy.type, ['Percent', 'Pods'], `${path}.type`);
  if (policy.value <= 0) findings.push(invalid(`${path}.value`, policy.value, 'must be greater than zero'));
  const seconds = policy.periodSeconds;
  if (seconds <= 0) findings.push(invalid(`${path}.periodSeconds`, seconds, 'must be greater than zero'));
  if (seconds > periodSecondsMax) {
    findings.push(invalid(`${path}.periodSeconds`, seconds, `must be less than or equal to ${periodSecondsMax}`));
  }
}

function checkMetric(findings: Findings, metric: MetricSpec, path: string): void {
  if (metric.type === '') findings.push(required(`${path}.type`, 'must specify a metric source type'));
  if (!metricTypes.includes(metric.type)) findings.push(notSupported(`${path}.type`, metric.type, metricTypes));
  const present = sources.filter((source) => metric[source] !== undefined);
  const first = present[0];
  if (first !== undefined) checkSource(findings, metric, first, `${path}.${first}`);
  const expected = sourceOfType[metric.type];
  if (expected !== undefined && metric[expected] === undefined) {
    findings.push(required(`${path}.${expected}`, 'must populate information for the given metric source'));
  }
  if (present.length === 1) return;
  for (const source of present) {
    if (source !== expected)
      findings.push(forbidden(`${path}.${source}`, 'must populate the given metric source only'));
  }
}

function checkSource(findings: Findings, metric: MetricSpec, source: Source, path: string): void {
  if (metric.object !== undefined && source === 'object') {
    checkReference(findings, metric.object.describedObject, `${path}.describedObject`);
    checkIdentifier(findings, metric.object.metric, `${path}.metric`);
    checkTarget(findings, metric.object.target, `${path}.target`);
    checkOneValue(findings, metric.object.target, 'must set either a target value or averageValue', path);
  } else if (metric.external !== undefined && source === 'external') {
    const { target } = metric.external;
    checkIdentifier(findings, metric.external.metric, `${path}.metric`);
    checkTarget(findings, target, `${path}.target`);
    checkOneValue(findings, target, 'must set either a target value for metric or a per-pod target', path);
    if (target.value !== undefined && target.averageValue !== undefined) {
      const detail = 'may not set both a target value for metric and a per-pod target';
      findings.push(forbidden(`${path}.target.value`, detail));
    }
  } else if (metric.pods !== undefined && source === 'pods') {
    checkIdentifier(findings, metric.pods.metric, `${path}.metric`);
    checkTarget(findings, metric.pods.target, `${path}.target`);
    if (metric.pods.target.averageValue === undefined) {
      findings.push(required(`${path}.target.averageValue`, 'must specify a positive target averageValue'));
    }
  } else if (metric.resource !== undefined && source === 'resource') {
    checkRequired(findings, metric.resource.name, `${path}.name`, 'must specify a resource name');
    checkResourceTarget(findings, metric.resource.target, path);
  } else if (metric.containerResource !== undefined) {
    const { container, name, target } = metric.containerResource;
    if (checkRequired(findings, name, `${path}.name`, 'must specify a resource name')) {
      checkContainerResourceName(findings, name, `${path}.name`);
    }
    if (checkRequired(findings, container, `${path}.container`, 'must specify a container')) {
      checkDnsLabel(findings, container, `${path}.container`);
    }
    checkResourceTarget(findings, target, path);
  }
}

function checkOneValue(findings: Findings, target: MetricTarget, detail: string, path: string): void {
  if (target.value === undefined && target.averageValue === undefined) {
    findings.push(required(`${path}.target.averageValue`, detail));
  }
}

function checkResourceTarget(findings: Findings, target: MetricTarget, path: string): void {
  checkTarget(findings, target, `${path}.target`);
  const { averageUtilization, averageValue } = target;
  if (averageUtilization === undefined && averageValue === undefined) {
    const detail = 'must set either a target raw value or a target utilization';
    findings.push(required(`${path}.target.averageUtilization`, detail));
  }
  if (averageUtilization !== undefined && averageValue !== undefined) {
    const detail = 'may not set both a target raw value and a target utilization';
    findings.push(forbidden(`${path}.target.averageValue`, detail));
  }
}

function checkTarget(findings: Findings, target: MetricTarget, path: string): void {
  if (target.type === '') findings.push(required(`${path}.type`, 'must specify a metric target type'));
  if (!['Utilization', 'Value', 'AverageValue'].includes(target.type)) {
    findings.push(invalid(`${path}.type`, target.type, 'must be either Utilization, Value, or AverageValue'));
  }
  for (const field of ['value', 'averageValue'] as const) {
    const quantity = target[field];
    if (quantity !== undefined && !isPositiveQuantity(quantity)) {
      findings.push(invalid(`${path}.${field}`, quantity, 'must be positive'));
    }
  }
  const utilization = target.averageUtilization;
  if (utilization !== undefined && utilization < 1) {
    findings.push(invalid(`${path}.averageUtilization`, utilization, 'must be greater than 0'));
  }
}

function checkIdentifier(findings: Findings, metric: MetricIdentifier, path: string): void {
  if (checkRequired(findings, metric.name, `${path}.name`, 'must specify a metric name')) {
    checkName(findings, pathSegment, metric.name, `${path}.name`);
  }
}
