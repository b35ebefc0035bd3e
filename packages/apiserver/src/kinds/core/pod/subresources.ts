import type { Container, EphemeralContainer, Pod, ResourceRequirements } from '@wherry/api';
import { describeDifference, sameValue } from '../../equality.ts';
import { type Findings, forbidden, invalid } from '../../findings.ts';
import type { UpdateRules } from '../../plain.ts';
import { podQosClass } from './qos.ts';
import { checkPod, mirrorPodAnnotation } from './validation.ts';

const none: readonly EphemeralContainer[] = [];

/** pods/ephemeralcontainers: containers for debugging may be added, never changed or taken away. */
export const ephemeralContainersRules: UpdateRules<Pod> = {
  prepare: (next, old) => withSpec(next, old, { ephemeralContainers: next.spec?.ephemeralContainers ?? none }),
  check: (findings, next, old) => {
    if (isMirror(old)) {
      findings.push(forbidden('', 'static pods do not support ephemeral containers'));
      return;
    }
    checkPod(findings, next);
    const after = new Map((next.spec?.ephemeralContainers ?? none).map((container) => [container.name, container]));
    for (const before of old.spec?.ephemeralContainers ?? none) {
      const kept = after.get(before.name);
      const at = 'spec.ephemeralContainers';
      if (kept === undefined) {
        findings.push(forbidden(at, `existing ephemeral containers "${before.name}" may not be removed\n`));
      } else if (!sameValue(kept, before)) {
        const difference = describeDifference(before, kept);
        const detail = `existing ephemeral containers "${before.name}" may not be changed\n${difference}`;
        findings.push(forbidden(at, detail));
      }
    }
  },
};

/** pods/resize: CPU and memory of running containers. */
export const resizeRules: UpdateRules<Pod> = {
  prepare: (next, old) =>
    withSpec(next, old, {
      containers: withResourcesOf(old.spec?.containers ?? [], next.spec?.containers ?? []),
      ...(old.spec?.initContainers === undefined
        ? {}
        : { initContainers: withResourcesOf(old.spec.initContainers, next.spec?.initContainers ?? []) }),
    }),
  check: (findings, next, old) => {
    if (isMirror(old)) findings.push(forbidden('', 'static pods cannot be resized'));
    if (podQosClass(next) !== (old.status?.qosClass ?? podQosClass(old))) {
      findings.push(invalid('metadata', next.status?.qosClass, 'Pod QOS Class may not change as a result of resizing'));
    }
    checkPod(findings, next);
    for (const [index, container] of (next.spec?.containers ?? []).entries()) {
      const before = old.spec?.containers[index];
      checkResize(findings, container.resources, before?.resources, `spec.containers[${index}].resources`);
    }
  },
};

function checkResize(
  findings: Findings,
  next: ResourceRequirements | undefined,
  old: ResourceRequirements | undefined,
  path: string,
): void {
  for (const part of ['limits', 'requests'] as const) {
    const names = new Set([...Object.keys(next?.[part] ?? {}), ...Object.keys(old?.[part] ?? {})]);
    for (const name of names) {
      const quantity = next?.[part]?.[name];
      const before = old?.[part]?.[name];
      const isResizable = name === 'cpu' || name === 'memory';
      if (!isResizable && !sameValue(quantity, before, part)) {
        findings.push(forbidden('spec', 'only cpu and memory resources are mutable'));
      } else if (isResizable && before !== undefined && quantity === undefined) {
        findings.push(forbidden(`${path}.${part}`, `resource ${part} cannot be removed`));
      }
    }
  }
}

function withResourcesOf(containers: readonly Container[], source: readonly Container[]): Container[] {
  return containers.map((container) => {
    const wanted = source.find((other) => other.name === container.name);
    if (wanted === undefined) return container;
    const { resources: _resources, resizePolicy: _policy, ...rest } = container;
    return {
      ...rest,
      ...(wanted.resources === undefined ? {} : { resources: wanted.resources }),
      ...(wanted.resizePolicy === undefined ? {} : { resizePolicy: wanted.resizePolicy }),
    };
  });
}

/** The old pod with the new metadata and these parts of the spec. */
function withSpec(next: Pod, old: Pod, changes: Partial<NonNullable<Pod['spec']>>): Pod {
  return {
    ...old,
    ...(next.metadata === undefined ? {} : { metadata: next.metadata }),
    spec: { containers: [], ...old.spec, ...changes },
  };
}

function isMirror(pod: Pod): boolean {
  return pod.metadata?.annotations?.[mirrorPodAnnotation] !== undefined;
}
