import type { Container, PodSpec, ServiceAccount } from '@wherry/api';

const ENFORCE_ANNOTATION = 'kubernetes.io/enforce-mountable-secrets';
const yes = new Set(['1', 't', 'T', 'true', 'TRUE', 'True']);

/** Why a pod may not use the secrets it names: accounts can limit their pods to the ones that they list. */
export function mountProblem(spec: PodSpec, account: ServiceAccount): string | undefined {
  if (!yes.has(account.metadata?.annotations?.[ENFORCE_ANNOTATION] ?? '')) {
    return undefined;
  }
  const name = account.metadata?.name ?? '';
  const mountable = new Set((account.secrets ?? []).map((secret) => secret.name));
  const tail = `is not allowed because service account ${name} does not reference that secret`;
  for (const { secret } of spec.volumes ?? []) {
    if (secret !== undefined && !mountable.has(secret.secretName)) {
      return `volume with secret.secretName="${secret.secretName ?? ''}" ${tail}`;
    }
  }
  const inContainers = (containers: readonly Container[] | undefined, what: string): string | undefined => {
    for (const container of containers ?? []) {
      for (const { name: variable, valueFrom } of container.env ?? []) {
        const reference = valueFrom?.secretKeyRef;
        if (reference !== undefined && !mountable.has(reference.name)) {
          return `${what} ${container.name} with envVar ${variable} referencing secret.secretName="${reference.name ?? ''}" ${tail}`;
        }
      }
    }
    return undefined;
  };
  const pullable = new Set((account.imagePullSecrets ?? []).map((secret) => secret.name));
  const wrongPull = (spec.imagePullSecrets ?? []).findIndex((secret) => !pullable.has(secret.name));
  return (
    inContainers(spec.initContainers, 'init container') ??
    inContainers(spec.containers, 'container') ??
    (wrongPull === -1
      ? undefined
      : `imagePullSecrets[${wrongPull}].name="${spec.imagePullSecrets?.[wrongPull]?.name ?? ''}" is not allowed because service account ${name} does not reference that imagePullSecret`)
  );
}
