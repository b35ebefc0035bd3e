import { type ApiObject, type LabelSelector, type Pod, resources } from '@wherry/api';
import { VerbError } from './verb-error.ts';
import { parseSelection } from './selection.ts';
import type { Session } from './session.ts';

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

/** A selector object, of either form, as the query's text. */
export function selectorText(selector: LabelSelector | Readonly<Record<string, string>> | undefined): string {
  if (selector === undefined) return '';
  if (!isLabelSelector(selector)) return equalities(selector);
  const expressions = (selector.matchExpressions ?? []).map(({ key, operator, values = [] }) => {
    if (operator === 'Exists') return key;
    if (operator === 'DoesNotExist') return `!${key}`;
    return `${key} ${operator === 'In' ? 'in' : 'notin'} (${values.join(',')})`;
  });
  return [equalities(selector.matchLabels ?? {}), ...expressions].filter((text) => text !== '').join(',');
}

function isLabelSelector(selector: LabelSelector | Readonly<Record<string, string>>): selector is LabelSelector {
  return typeof selector.matchLabels === 'object' || Array.isArray(selector.matchExpressions);
}

function equalities(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
}
