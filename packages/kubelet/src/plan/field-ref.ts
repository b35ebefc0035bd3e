// `fieldRef`: what a pod may learn about itself.
import type { Pod } from '@wherry/api';

export interface FieldContext {
  readonly podIp: string | undefined;
  readonly hostIp: string;
}

/** Labels or annotations as the downward API writes them into a file: sorted `key="escaped value"` lines. */
function formatMap(map: Readonly<Record<string, string>> | undefined): string {
  return Object.entries(map ?? {})
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .join('\n');
}

const subscript = /^metadata\.(labels|annotations)\['(.*)'\]$/;

/** The value of a field path; undefined if there is no such path. */
export function podField(pod: Pod, path: string, context: FieldContext): string | undefined {
  const meta = pod.metadata;
  const key = subscript.exec(path);
  if (key !== null) {
    const map = key[1] === 'labels' ? meta?.labels : meta?.annotations;
    return map?.[key[2] ?? ''] ?? '';
  }
  switch (path) {
    case 'metadata.name':
      return meta?.name ?? '';
    case 'metadata.namespace':
      return meta?.namespace ?? '';
    case 'metadata.uid':
      return meta?.uid ?? '';
    case 'metadata.labels':
      return formatMap(meta?.labels);
    case 'metadata.annotations':
      return formatMap(meta?.annotations);
    case 'spec.nodeName':
      return pod.spec?.nodeName ?? '';
    case 'spec.serviceAccountName':
      return pod.spec?.serviceAccountName ?? '';
    case 'status.hostIP':
    case 'status.hostIPs':
      return context.hostIp;
    case 'status.podIP':
    case 'status.podIPs':
      return context.podIp ?? '';
    default:
      return undefined;
  }
}
