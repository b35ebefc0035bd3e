import { readBody } from '@wherry/client';
import type { Context } from '../../context.ts';
import type { DiscoveredResource } from '../../kube/discovery.ts';
import type { TargetFlags } from '../../kube/options.ts';
import { withSession } from '../../kube/session.ts';
import { VerbError } from '../../kube/verb-error.ts';
import { alignColumns } from '../../printers/columns.ts';
import { byBytes } from '../../printers/go-json.ts';
import type { ApiResourcesFlags } from '../api.ts';

export function apiResources(context: Context, flags: ApiResourcesFlags): Promise<void> {
  const { output, sortBy } = flags;
  if (output !== undefined && output !== 'wide' && output !== 'name') {
    throw new VerbError(`--output ${output} is not available`);
  }
  if (sortBy !== undefined && sortBy !== 'name' && sortBy !== 'kind') {
    throw new VerbError('--sort-by accepts only name or kind');
  }
  return withSession(context, flags, async ({ discovery }) => {
    const shown = preferred(await discovery.all()).filter((resource) => isWanted(resource, flags));
    shown.sort((a, b) =>
      sortBy === 'kind'
        ? byBytes(a.kind, b.kind)
        : sortBy === 'name'
          ? byBytes(a.resource, b.resource)
          : byBytes(a.group, b.group) || byBytes(a.resource, b.resource),
    );
    if (output === 'name') {
      for (const { resource, group } of shown) context.terminal.out(group === '' ? resource : `${resource}.${group}`);
      return;
    }
    const isWide = output === 'wide';
    const rows = shown.map((resource) => row(resource, isWide));
    const heading = [
      'NAME',
      'SHORTNAMES',
      'APIVERSION',
      'NAMESPACED',
      'KIND',
      ...(isWide ? ['VERBS', 'CATEGORIES'] : []),
    ];
    for (const line of alignColumns(flags.headers ? [heading, ...rows] : rows)) context.terminal.out(line);
  });
}

function row(
  { resource, shortNames, group, version, namespaced, kind, verbs, categories }: DiscoveredResource,
  isWide: boolean,
) {
  const apiVersion = group === '' ? version : `${group}/${version}`;
  return [
    resource,
    shortNames.join(','),
    apiVersion,
    String(namespaced),
    kind,
    ...(isWide ? [verbs.toSorted().join(','), categories.join(',')] : []),
  ];
}

/** Each type once, in the first version that the server names for its group. */
function preferred(all: readonly DiscoveredResource[]): DiscoveredResource[] {
  const versions = new Map<string, DiscoveredResource>();
  for (const resource of all) {
    const key = `${resource.resource}.${resource.group}`;
    if (!versions.has(key)) versions.set(key, resource);
  }
  return [...versions.values()];
}

function isWanted(resource: DiscoveredResource, flags: ApiResourcesFlags): boolean {
  if (flags.apiGroup !== undefined && resource.group !== flags.apiGroup) return false;
  if (flags.namespaced !== undefined && String(resource.namespaced) !== String(flags.namespaced)) return false;
  if (flags.verbs?.every((verb) => resource.verbs.includes(verb)) === false) return false;
  return flags.categories?.every((category) => resource.categories.includes(category)) !== false;
}

export function apiVersions(context: Context, flags: TargetFlags): Promise<void> {
  return withSession(context, flags, async ({ client }) => {
    const read = async <T>(path: string): Promise<T> => {
      const response = await client.raw({ method: 'GET', path, headers: { accept: 'application/json' } });
      return JSON.parse((await readBody(response)).toString('utf8')) as T;
    };
    const core = await read<{ readonly versions?: readonly string[] }>('/api');
    const { groups = [] } = await read<{
      readonly groups?: readonly { readonly versions: readonly { readonly groupVersion: string }[] }[];
    }>('/apis');
    const all = [
      ...(core.versions ?? []),
      ...groups.flatMap(({ versions }) => versions.map(({ groupVersion }) => groupVersion)),
    ];
    for (const version of all.sort(byBytes)) context.terminal.out(version);
  });
}
