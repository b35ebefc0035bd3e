import { type ApiObject, type LabelSelector, type Pod, resources } from '@wherry/api';
import { parseSelection } from './selection.ts';
import { selectorText } from './selector-text.ts';
import type { Session } from './session.ts';
import { VerbError } from './verb-error.ts';

interface OwnerOfPods extends ApiObject {
  readonly spec?: { readonly selector?: LabelSelector | Readonly<Record<string, string>> };
}

/** The pods a user means by `web-1`, `pod/web-1`, `deploy/web`, `svc/web` or a selector; running ones first. */
export async function podsOf(
  session: Session,
  target: string | undefined,
  selector: string | undefined,
): Promise<readonly Pod[]> {
  const { client, discovery, namespace } = session;
  if (selector !== undefined) return (await client.list(resources.pods, { namespace, labelSelector: selector })).items;
  if (target === undefined) throw new VerbError('Name a pod, type/name of what owns pods, or --selector');
  if (!target.includes('/')) return [await client.get(resources.pods, target, { namespace })];
  const [{ resource, name = '' } = {}] = await parseSelection([target], discovery);
  if (resource === undefined || resource.resource === 'pods')
    return [await client.get(resources.pods, name, { namespace })];
  const owner = (await client.get(resource, name, { namespace })) as OwnerOfPods;
  const labelSelector = selectorText(owner.spec?.selector);
  if (labelSelector === '') throw new VerbError(`${target} selects no pods`);
  const { items } = await client.list(resources.pods, { namespace, labelSelector });
  return items.toSorted((a, b) => rank(a) - rank(b));
}

function rank(pod: Pod): number {
  return pod.status?.phase === 'Running' && pod.metadata?.deletionTimestamp === undefined ? 0 : 1;
}
