import type { Pod, PodSpec, PodTemplateSpec } from '@wherry/api';
import { eachContainer } from './walk.ts';

/** Texts for Warning headers: things that work but are about to go, or hardly ever mean what they say. */
export function podWarnings(pod: Pod): readonly string[] {
  return pod.spec === undefined ? [] : specWarnings(pod.spec, 'spec');
}

export function templateWarnings(template: PodTemplateSpec | undefined, path: string): readonly string[] {
  return template?.spec === undefined ? [] : specWarnings(template.spec, `${path}.spec`);
}

const deprecatedNodeLabels: Readonly<Record<string, string>> = {
  'beta.kubernetes.io/arch': 'deprecated since v1.14; use "kubernetes.io/arch" instead',
  'beta.kubernetes.io/os': 'deprecated since v1.14; use "kubernetes.io/os" instead',
  'failure-domain.beta.kubernetes.io/region': 'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
  'failure-domain.beta.kubernetes.io/zone': 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
  'beta.kubernetes.io/instance-type': 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
};

function specWarnings(spec: PodSpec, path: string): string[] {
  const warnings: string[] = [];
  for (const key in spec.nodeSelector) {
    const advice = deprecatedNodeLabels[key];
    if (advice !== undefined) warnings.push(`${path}.nodeSelector[${key}]: ${advice}`);
  }
  for (const [index, volume] of (spec.volumes ?? []).entries()) {
    const at = `${path}.volumes[${index}]`;
    if (volume.gitRepo !== undefined) warnings.push(`${at}.gitRepo: deprecated in v1.11`);
    if (volume.glusterfs !== undefined) warnings.push(`${at}.glusterfs: deprecated in v1.25`);
    if (volume.cephfs !== undefined) warnings.push(`${at}.cephfs: deprecated in v1.28`);
    if (volume.rbd !== undefined) warnings.push(`${at}.rbd: deprecated in v1.28`);
  }
  for (const [index, alias] of (spec.hostAliases ?? []).entries()) {
    if (new Set(alias.hostnames).size < (alias.hostnames ?? []).length) {
      warnings.push(`${path}.hostAliases[${index}].hostnames: duplicate hostnames`);
    }
  }
  if (spec.terminationGracePeriodSeconds !== undefined && spec.terminationGracePeriodSeconds < 0) {
    warnings.push(
      `${path}.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1`,
    );
  }
  eachContainer(spec, path, (container, at) => warnings.push(...containerWarnings(container, at)));
  return warnings;
}

type Container = PodSpec['containers'][number] | NonNullable<PodSpec['ephemeralContainers']>[number];

function containerWarnings(container: Container, path: string): string[] {
  const warnings: string[] = [];
  const seen = new Map<string, string | undefined>();
  for (const [index, variable] of (container.env ?? []).entries()) {
    if (seen.has(variable.name)) {
      warnings.push(`${path}.env[${index}]: hides previous definition of "${variable.name}", which may be unexpected`);
    }
    seen.set(variable.name, variable.value);
  }
  for (const part of ['limits', 'requests'] as const) {
    const resources = container.resources?.[part];
    for (const name of ['memory', 'ephemeral-storage']) {
      const quantity = resources?.[name];
      if (quantity?.endsWith('m') === true) {
        warnings.push(
          `${path}.resources.${part}[${name}]: fractional byte value "${quantity}" is invalid, must be an integer`,
        );
      }
    }
  }
  const ports = new Map<string, number>();
  for (const [index, port] of (container.ports ?? []).entries()) {
    const key = `${port.containerPort}/${port.protocol ?? 'TCP'}`;
    const first = ports.get(key);
    if (first !== undefined && port.hostPort === undefined) {
      warnings.push(`${path}.ports[${index}]: duplicate port definition with ${path}.ports[${first}]`);
    } else ports.set(key, index);
  }
  return warnings;
}
