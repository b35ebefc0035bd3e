type Labels = Readonly<Record<string, string>>;

/** Labels that a kubelet knows of itself. */
const ownLabels = new Set([
  'kubernetes.io/hostname',
  'topology.kubernetes.io/zone',
  'topology.kubernetes.io/region',
  'failure-domain.beta.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region',
  'node.kubernetes.io/instance-type',
  'beta.kubernetes.io/instance-type',
  'kubernetes.io/os',
  'kubernetes.io/arch',
  'beta.kubernetes.io/os',
  'beta.kubernetes.io/arch',
]);

export function changedLabels(next: Labels = {}, old: Labels = {}): readonly string[] {
  return Object.keys({ ...next, ...old })
    .filter((label) => next[label] !== old[label])
    .sort();
}

/** Whether a node may not set or change the label: it could draw pods to itself that are not meant for it. */
export function isForbiddenNodeLabel(label: string): boolean {
  const slash = label.indexOf('/');
  const domain = slash === -1 ? '' : label.slice(0, slash);
  if (isBelow(domain, 'node-restriction.kubernetes.io')) {
    return true;
  }
  const isReserved = isBelow(domain, 'kubernetes.io') || isBelow(domain, 'k8s.io');
  const isOwn =
    ownLabels.has(label) || isBelow(domain, 'kubelet.kubernetes.io') || isBelow(domain, 'node.kubernetes.io');
  return isReserved && !isOwn;
}

function isBelow(domain: string, parent: string): boolean {
  return domain === parent || domain.endsWith(`.${parent}`);
}
