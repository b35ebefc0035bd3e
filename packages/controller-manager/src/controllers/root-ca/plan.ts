import type { ConfigMap, Namespace } from '@wherry/api';
import { isActive } from '../service-account/plan.ts';

export const ROOT_CA_NAME = 'kube-root-ca.crt';
const DESCRIPTION =
  'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.';

/** The config map that pods verify the API server with, or undefined when it is there and right. */
export function planRootCa(
  namespace: Namespace,
  existing: ConfigMap | undefined,
  rootCa: string,
): ConfigMap | undefined {
  if (!isActive(namespace)) return undefined;
  const data = { 'ca.crt': rootCa };
  const annotations = { 'kubernetes.io/description': DESCRIPTION };
  if (existing === undefined) {
    return { metadata: { name: ROOT_CA_NAME, namespace: namespace.metadata?.name ?? '', annotations }, data };
  }
  const described = existing.metadata?.annotations?.['kubernetes.io/description'] === DESCRIPTION;
  const keys = Object.keys(existing.data ?? {});
  if (described && keys.length === 1 && existing.data?.['ca.crt'] === rootCa) return undefined;
  return {
    ...existing,
    metadata: { ...existing.metadata, annotations: { ...existing.metadata?.annotations, ...annotations } },
    data,
  };
}
