import type { ObjectMeta, Pod, PodSpec, PodTemplateSpec } from '@wherry/api';
import { checkAnnotations, checkDnsSubdomain, checkLabels, checkName, checkOneOf, checkRange } from '../../checks.ts';
import { type Findings, forbidden, invalid, required } from '../../findings.ts';
import { dns1123Subdomain } from '../../names.ts';
import { checkAffinity } from './affinity.ts';
import { checkContainers, checkEphemeralContainers, checkInitContainers, type PodScope } from './containers.ts';
import { checkPodNetwork } from './network.ts';
import { checkOverhead, checkPodClaims, checkPodLevelResources } from './resources.ts';
import { checkGates, checkTolerations, checkTopologySpread } from './scheduling.ts';
import { checkPodSecurity } from './security.ts';
import { checkVolumes } from './volumes.ts';
import { hasContainer } from './walk.ts';

export const mirrorPodAnnotation = 'kubernetes.io/config.mirror';
export const podDeletionCostAnnotation = 'controller.kubernetes.io/pod-deletion-cost';
export const appArmorAnnotationPrefix = 'container.apparmor.security.beta.kubernetes.io/';

const restartPolicies = ['Always', 'OnFailure', 'Never'];
const preemptionPolicies = ['PreemptLowerPriority', 'Never'];
const int32Max = 2_147_483_647;
const noContainers: PodSpec = { containers: [] };

/** What holds for a pod at any time; creating and updating have rules of their own. */
export function checkPod(findings: Findings, pod: Pod): void {
  const spec = pod.spec ?? noContainers;
  checkPodAnnotations(findings, pod.metadata, spec, 'metadata.annotations');
  checkPodSpec(findings, spec, 'spec', pod.metadata?.name ?? '');
  if (!spec.serviceAccountName) checkTokensHaveAccount(findings, spec);
}

export function checkNewPod(findings: Findings, pod: Pod): void {
  checkPod(findings, pod);
  const spec = pod.spec ?? noContainers;
  if ((spec.ephemeralContainers ?? []).length > 0) {
    findings.push(forbidden('spec.ephemeralContainers', 'cannot be set on create'));
  }
  if (spec.nodeName && (spec.schedulingGates ?? []).length > 0) {
    findings.push(forbidden('spec.nodeName', 'cannot be set until all schedulingGates have been cleared'));
  }
}

/** The pod template of a controller; `path` is that of the template. */
export function checkPodTemplate(findings: Findings, template: PodTemplateSpec | undefined, path: string): void {
  const spec = template?.spec ?? noContainers;
  const metadata = template?.metadata;
  checkLabels(findings, metadata?.labels, `${path}.labels`);
  checkAnnotations(findings, metadata?.annotations, `${path}.annotations`);
  checkPodAnnotations(findings, metadata, spec, `${path}.annotations`);
  checkPodSpec(findings, spec, `${path}.spec`, undefined);
  if ((spec.ephemeralContainers ?? []).length > 0) {
    findings.push(forbidden(`${path}.spec.ephemeralContainers`, 'ephemeral containers not allowed in pod template'));
  }
}

/** `podName` is undefined for a template's pod, '' for a pod whose name is bad and reported elsewhere. */
export function checkPodSpec(findings: Findings, spec: PodSpec, path: string, podName: string | undefined): void {
  const isPod = podName !== undefined;
  if (spec.terminationGracePeriodSeconds === undefined) {
    findings.push(required(`${path}.terminationGracePeriodSeconds`, ''));
  }
  const volumes = checkVolumes(findings, spec.volumes, podName, `${path}.volumes`);
  const claimNames = checkPodClaims(findings, spec.resourceClaims, `${path}.resourceClaims`);
  const scope: PodScope = { spec, volumes, claimNames, isPod };
  checkContainers(findings, scope, `${path}.containers`);
  checkInitContainers(findings, scope, `${path}.initContainers`);
  checkEphemeralContainers(findings, scope, `${path}.ephemeralContainers`);
  checkPodLevelResources(findings, spec, `${path}.resources`);
  checkOneOf(findings, spec.restartPolicy, restartPolicies, `${path}.restartPolicy`);
  checkPodNetwork(findings, spec, path, isPod);
  checkLabels(findings, spec.nodeSelector, `${path}.nodeSelector`);
  checkPodSecurity(findings, spec, path);
  checkAffinity(findings, spec.affinity, `${path}.affinity`);
  checkGates(findings, spec, path);
  checkTopologySpread(findings, spec.topologySpreadConstraints, `${path}.topologySpreadConstraints`);
  checkTolerations(findings, spec.tolerations, `${path}.tolerations`);
  checkPodNames(findings, spec, path);
  checkRange(findings, spec.activeDeadlineSeconds, 1, int32Max, `${path}.activeDeadlineSeconds`);
  if (spec.preemptionPolicy !== undefined) {
    checkOneOf(findings, spec.preemptionPolicy, preemptionPolicies, `${path}.preemptionPolicy`);
  }
  checkOverhead(findings, spec.overhead, `${path}.overhead`);
}

/** Annotations that other parts of the system act on. */
export function checkPodAnnotations(
  findings: Findings,
  metadata: ObjectMeta | undefined,
  spec: PodSpec,
  path: string,
): void {
  const annotations = metadata?.annotations;
  if (annotations === undefined) return;
  const mirror = annotations[mirrorPodAnnotation];
  if (mirror !== undefined && !spec.nodeName) {
    const detail = 'must set spec.nodeName if mirror pod annotation is set';
    findings.push(invalid(`${path}[${mirrorPodAnnotation}]`, mirror, detail));
  }
  const cost = annotations[podDeletionCostAnnotation];
  if (cost !== undefined && !isInt32(cost)) {
    findings.push(invalid(`${path}[${podDeletionCostAnnotation}]`, cost, 'must be a 32bit integer'));
  }
  for (const key in annotations) {
    if (key.startsWith(appArmorAnnotationPrefix)) {
      checkAppArmorAnnotation(findings, key, annotations[key] ?? '', spec, `${path}[${key}]`);
    }
  }
}

function checkPodNames(findings: Findings, spec: PodSpec, path: string): void {
  if (spec.serviceAccountName) checkDnsSubdomain(findings, spec.serviceAccountName, `${path}.serviceAccountName`);
  if (spec.nodeName) checkDnsSubdomain(findings, spec.nodeName, `${path}.nodeName`);
  if (spec.priorityClassName) checkDnsSubdomain(findings, spec.priorityClassName, `${path}.priorityClassName`);
  if (spec.runtimeClassName !== undefined) {
    checkName(findings, dns1123Subdomain, spec.runtimeClassName, `${path}.runtimeClassName`);
  }
}

/** A projected token is some account's. Admission fills the account in, so this meets only pods that bypass it. */
function checkTokensHaveAccount(findings: Findings, spec: PodSpec): void {
  for (const [index, volume] of (spec.volumes ?? []).entries()) {
    for (const [position, source] of (volume.projected?.sources ?? []).entries()) {
      if (source.serviceAccountToken === undefined) continue;
      const at = `spec.volumes[${index}].projected.sources[${position}].serviceAccountToken`;
      findings.push(forbidden(at, 'must not be specified when serviceAccountName is not set'));
    }
  }
}

function checkAppArmorAnnotation(findings: Findings, key: string, profile: string, spec: PodSpec, path: string): void {
  const name = key.slice(appArmorAnnotationPrefix.length);
  if (!hasContainer(spec, name)) findings.push(invalid(path, name, 'container not found'));
  const isKnown = profile === '' || profile === 'runtime/default' || profile === 'unconfined';
  if (!isKnown && !profile.startsWith('localhost/')) {
    findings.push(invalid(path, profile, `invalid AppArmor profile name: "${profile}"`));
  }
}

/** As Go's ParseInt reads it, except for a leading plus and for superfluous zeros, which upstream refuses here too. */
function isInt32(text: string): boolean {
  if (!/^(0|-?[1-9]\d{0,9})$/.test(text)) return false;
  const value = Number(text);
  return value >= -2_147_483_648 && value <= int32Max;
}
