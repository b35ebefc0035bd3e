import type { DiscoveredResource } from '../kube/discovery.ts';

/** `pod`, `deployment.apps`: how messages name a type. */
export function qualifiedName(resource: DiscoveredResource): string {
  return `${resource.kind.toLowerCase()}${resource.group === '' ? '' : `.${resource.group}`}`;
}
