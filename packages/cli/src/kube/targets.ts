import type { ApiObject } from '@wherry/api';
import type { DiscoveredResource } from './discovery.ts';
import { place, readManifests, scopeOf } from './edit-objects.ts';
import type { FileFlags, SelectorFlags } from './options.ts';
import { parseSelection } from './selection.ts';
import type { Session } from './session.ts';
import { VerbError } from './verb-error.ts';

/** One object that a verb is asked to work on. */
export interface Target {
  readonly resource: DiscoveredResource;
  /** Undefined for what belongs to no namespace. */
  readonly namespace: string | undefined;
  readonly name: string;
}

type TargetsFlags = FileFlags & SelectorFlags & { readonly allNamespaces?: boolean; readonly fieldSelector?: string };

const NOTHING_GIVEN = `You must provide one or more resources by argument or filename.
Example resource specifications include:
   '-f rsrc.yaml'
   '--filename=rsrc.json'
   '<resource> <name>'
   '<resource>'`;

/** What a verb's words and flags name: from manifests, by name, or by selector. Objects named are not looked up. */
export async function targetsOf(
  session: Session,
  args: readonly string[],
  flags: TargetsFlags,
): Promise<readonly Target[]> {
  if (flags.filename !== undefined) {
    const targets: Target[] = [];
    for (const { object } of await readManifests(flags.filename, flags.recursive)) {
      const placed = await place(session, object);
      targets.push({ ...placed, name: object.metadata?.name ?? '' });
    }
    return targets;
  }
  if (args.length === 0) throw new VerbError(NOTHING_GIVEN);
  const targets: Target[] = [];
  for (const { resource, name } of await parseSelection(args, session.discovery)) {
    const namespace = resource.namespaced ? session.namespace : undefined;
    if (name !== undefined) targets.push({ resource, namespace, name });
    else targets.push(...(await listed(session, resource, namespace, flags)));
  }
  return targets;
}

async function listed(
  session: Session,
  resource: DiscoveredResource,
  namespace: string | undefined,
  flags: TargetsFlags,
): Promise<readonly Target[]> {
  const { selector, fieldSelector, all, allNamespaces } = flags;
  if (selector === undefined && fieldSelector === undefined && all !== true) {
    throw new VerbError('resource(s) were provided, but no name was specified');
  }
  const { items } = await session.client.list(resource, {
    ...(allNamespaces === true ? {} : scopeOf(namespace)),
    ...(selector === undefined ? {} : { labelSelector: selector }),
    ...(fieldSelector === undefined ? {} : { fieldSelector }),
  });
  return items.map(({ metadata }) => ({
    resource,
    namespace: resource.namespaced ? (metadata?.namespace ?? namespace) : undefined,
    name: metadata?.name ?? '',
  }));
}

/** The object as it is now, with apiVersion and kind. */
export function fetchTarget<T extends ApiObject = ApiObject>(session: Session, target: Target): Promise<T> {
  return session.client.get(target.resource, target.name, scopeOf(target.namespace)) as Promise<T>;
}
