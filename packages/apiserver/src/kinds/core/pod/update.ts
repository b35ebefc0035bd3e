import type { Container, NodeAffinity, NodeSelectorTerm, ObjectMeta, Pod, PodSpec, Toleration } from '@wherry/api';
import { inclusiveRange, type StringMap } from '../../checks.ts';
import { describeDifference, sameValue } from '../../equality.ts';
import { type Findings, forbidden, invalid, required } from '../../findings.ts';
import { podQosClass } from './qos.ts';
import { checkTolerations } from './scheduling.ts';
import { appArmorAnnotationPrefix, checkPod, mirrorPodAnnotation } from './validation.ts';

const int32Max = 2_147_483_647;

const updatableFields = [
  '`spec.containers[*].image`',
  '`spec.initContainers[*].image`',
  '`spec.activeDeadlineSeconds`',
  '`spec.tolerations` (only additions to existing tolerations)',
  '`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
].join(',');

/** Almost all of a pod's spec is fixed: what runs is what was asked for. */
export function checkPodUpdate(findings: Findings, next: Pod, old: Pod): void {
  const spec = next.spec ?? { containers: [] };
  const oldSpec = old.spec ?? { containers: [] };
  checkPod(findings, next);
  checkAnnotationUpdates(findings, next.metadata, old.metadata);
  if (!checkImages(findings, spec.containers, oldSpec.containers, 'spec.containers')) return;
  if (!checkImages(findings, spec.initContainers, oldSpec.initContainers, 'spec.initContainers')) return;
  if (!checkDeadline(findings, spec, oldSpec)) return;
  checkOnlyAddedTolerations(findings, spec.tolerations, oldSpec.tolerations);
  checkOnlyRemovedGates(findings, spec, oldSpec);
  if (sameValue(spec, oldSpec)) return;
  if (podQosClass(next) !== (old.status?.qosClass ?? podQosClass(old))) {
    findings.push(invalid('metadata', next.status?.qosClass, 'Pod QoS is immutable'));
  }
  const rest = withUpdatableOf(findings, spec, oldSpec);
  if (sameValue(rest, oldSpec)) return;
  const difference = describeDifference(oldSpec, rest);
  findings.push(forbidden('spec', `pod updates may not change fields other than ${updatableFields}\n${difference}`));
}

export function checkAnnotationUpdates(
  findings: Findings,
  next: ObjectMeta | undefined,
  old: ObjectMeta | undefined,
): void {
  const after = next?.annotations ?? {};
  const before = old?.annotations ?? {};
  const isMirror = (key: string): boolean => key === mirrorPodAnnotation;
  const isAppArmor = (key: string): boolean => key.startsWith(appArmorAnnotationPrefix);
  for (const key in before) {
    if (before[key] === after[key]) continue;
    const at = `metadata.annotations[${key}]`;
    if (isAppArmor(key)) findings.push(forbidden(at, 'may not remove or update AppArmor annotations'));
    if (isMirror(key)) findings.push(forbidden(at, 'may not remove or update mirror pod annotation'));
  }
  for (const key in after) {
    if (Object.hasOwn(before, key)) continue;
    const at = `metadata.annotations[${key}]`;
    if (isAppArmor(key)) findings.push(forbidden(at, 'may not add AppArmor annotations'));
    if (isMirror(key)) findings.push(forbidden(at, 'may not add mirror pod annotation'));
  }
}

/** False when the lists cannot be compared one by one. */
function checkImages(
  findings: Findings,
  next: readonly Container[] = [],
  old: readonly Container[] = [],
  path: string,
): boolean {
  if (next.length !== old.length) {
    findings.push(forbidden(path, 'pod updates may not add or remove containers'));
    return false;
  }
  for (const [index, { image = '' }] of next.entries()) {
    if (image === '') findings.push(required(`${path}[${index}].image`, ''));
    if (image.trim() !== image) {
      findings.push(invalid(`${path}[${index}].image`, image, 'must not have leading or trailing whitespace'));
    }
  }
  return true;
}

/** A deadline may be set once and then only come nearer. */
function checkDeadline(findings: Findings, spec: PodSpec, oldSpec: PodSpec): boolean {
  const next = spec.activeDeadlineSeconds;
  const old = oldSpec.activeDeadlineSeconds;
  const at = 'spec.activeDeadlineSeconds';
  if (next === undefined) {
    if (old !== undefined) {
      findings.push(invalid(at, next, 'must not update from a positive integer to nil value'));
    }
    return true;
  }
  if (next < 0 || next > int32Max) {
    findings.push(invalid(at, next, inclusiveRange(0, int32Max)));
    return false;
  }
  if (old !== undefined && old < next) {
    findings.push(invalid(at, next, 'must be less than or equal to previous value'));
    return false;
  }
  return true;
}

function checkOnlyAddedTolerations(
  findings: Findings,
  next: readonly Toleration[] = [],
  old: readonly Toleration[] = [],
): void {
  const isKept = (toleration: Toleration): boolean =>
    next.some((other) => {
      const { tolerationSeconds: _seconds, ...rest } = other;
      const { tolerationSeconds: _oldSeconds, ...oldRest } = toleration;
      return sameValue(rest, oldRest);
    });
  if (!old.every(isKept)) {
    const detail = 'existing toleration can not be modified except its tolerationSeconds';
    findings.push(forbidden('spec.tolerations', detail));
    return;
  }
  // Already checked with the rest of the spec when nothing changed.
  if (next.length !== old.length) checkTolerations(findings, next, 'spec.tolerations');
}

function checkOnlyRemovedGates(findings: Findings, spec: PodSpec, oldSpec: PodSpec): void {
  const old = new Set((oldSpec.schedulingGates ?? []).map((gate) => gate.name));
  for (const [index, gate] of (spec.schedulingGates ?? []).entries()) {
    if (old.has(gate.name)) continue;
    const detail = `only deletion is allowed, but found new scheduling gate '${gate.name}'`;
    findings.push(forbidden(`spec.schedulingGates[${index}].name`, detail));
  }
}

/** The new spec with every field that may change put back: what then differs may not. */
function withUpdatableOf(findings: Findings, spec: PodSpec, old: PodSpec): PodSpec {
  const { activeDeadlineSeconds: _deadline, schedulingGates: _gates, tolerations: _tolerations, ...fixed } = spec;
  let rest: PodSpec = {
    ...fixed,
    containers: withImagesOf(spec.containers, old.containers),
    ...(old.activeDeadlineSeconds === undefined ? {} : { activeDeadlineSeconds: old.activeDeadlineSeconds }),
    ...(old.schedulingGates === undefined ? {} : { schedulingGates: old.schedulingGates }),
    ...(old.tolerations === undefined ? {} : { tolerations: old.tolerations }),
  };
  if (spec.initContainers !== undefined) {
    rest = { ...rest, initContainers: withImagesOf(spec.initContainers, old.initContainers ?? []) };
  }
  const oldGrace = old.terminationGracePeriodSeconds;
  if (oldGrace !== undefined && oldGrace < 0 && rest.terminationGracePeriodSeconds === 1) {
    rest = { ...rest, terminationGracePeriodSeconds: oldGrace };
  }
  return (old.schedulingGates ?? []).length === 0 ? rest : withPlacementOf(findings, rest, old);
}

function withImagesOf(containers: readonly Container[], old: readonly Container[]): Container[] {
  return containers.map((container, index) => {
    const image = old[index]?.image;
    return image === undefined ? container : { ...container, image };
  });
}

/** While gates hold a pod back, where it may run can still be narrowed. */
function withPlacementOf(findings: Findings, spec: PodSpec, old: PodSpec): PodSpec {
  let rest = spec;
  if (!sameValue(spec.nodeSelector, old.nodeSelector, 'nodeSelector')) {
    checkNarrowedSelector(findings, spec.nodeSelector, old.nodeSelector);
    const { nodeSelector: _selector, ...others } = rest;
    rest = old.nodeSelector === undefined ? others : { ...others, nodeSelector: old.nodeSelector };
  }
  const next = spec.affinity?.nodeAffinity;
  const before = old.affinity?.nodeAffinity;
  if (sameValue(next, before)) return rest;
  checkNarrowedAffinity(findings, next, before);
  const { nodeAffinity: _affinity, ...affinity } = rest.affinity ?? {};
  const kept = before === undefined ? affinity : { ...affinity, nodeAffinity: before };
  const { affinity: _whole, ...others } = rest;
  return Object.keys(kept).length === 0 && old.affinity === undefined ? others : { ...others, affinity: kept };
}

function checkNarrowedSelector(findings: Findings, next: StringMap = {}, old: StringMap = {}): void {
  if (Object.entries(old).every(([key, value]) => next[key] === value)) return;
  const detail = 'only additions to spec.nodeSelector are allowed (no mutations or deletions)';
  findings.push(invalid('spec.nodeSelector', next, detail));
}

function checkNarrowedAffinity(
  findings: Findings,
  next: NodeAffinity | undefined,
  old: NodeAffinity | undefined,
): void {
  const path = 'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms';
  const oldTerms = old?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  const terms = next?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  if (oldTerms.length === 0) return;
  if (oldTerms.length !== terms.length) {
    const detail = 'no additions/deletions to non-empty NodeSelectorTerms list are allowed';
    findings.push(invalid(path, terms, detail));
    return;
  }
  for (const [index, oldTerm] of oldTerms.entries()) {
    const term = terms[index] ?? {};
    if (onlyAdds(term, oldTerm)) continue;
    findings.push(invalid(`${path}[${index}]`, term, 'only additions are allowed (no mutations or deletions)'));
  }
}

function onlyAdds(next: NodeSelectorTerm, old: NodeSelectorTerm): boolean {
  const oldExpressions = old.matchExpressions ?? [];
  const oldFields = old.matchFields ?? [];
  const expressions = next.matchExpressions ?? [];
  const fields = next.matchFields ?? [];
  // An empty term matches nothing: adding to it would widen it.
  if (oldExpressions.length + oldFields.length === 0) return expressions.length + fields.length === 0;
  return (
    sameValue(expressions.slice(0, oldExpressions.length), oldExpressions) &&
    sameValue(fields.slice(0, oldFields.length), oldFields)
  );
}
