import type { DiscoveredResource, Discovery } from './discovery.ts';
import { VerbError } from './verb-error.ts';

/** What a verb is asked to work on: objects by name, or whole collections. */
export interface Selection {
  readonly resource: DiscoveredResource;
  /** Without it, all that the selectors leave. */
  readonly name?: string;
  /** Where a manifest puts it; otherwise the session's. */
  readonly namespace?: string;
}

/** Reads `pods`, `pods a b`, `pod/a deploy/b`, `pods,services` and `all`. */
export async function parseSelection(args: readonly string[], discovery: Discovery): Promise<readonly Selection[]> {
  const [first, ...rest] = args;
  if (first === undefined) {
    throw new VerbError('You must specify the type of resource, for example: pods, deployment/web, all');
  }
  if (first.includes('/')) return Promise.all(args.map((argument) => named(argument, discovery)));
  const types = (await Promise.all(first.split(',').map((type) => typesOf(type, discovery)))).flat();
  if (rest.length === 0) return types.map((resource) => ({ resource }));
  const slashed = rest.find((name) => name.includes('/'));
  if (slashed !== undefined)
    throw new VerbError(
      `there is no need to specify a resource type as a separate argument when passing arguments in resource/name form (e.g. 'kubectl get resource/<resource_name>' instead of 'kubectl get resource resource/<resource_name>'`,
    );
  return types.flatMap((resource) => rest.map((name) => ({ resource, name })));
}

async function named(argument: string, discovery: Discovery): Promise<Selection> {
  const [type = '', name = '', ...more] = argument.split('/');
  if (type === '' || name === '' || more.length > 0)
    throw new VerbError(`arguments in resource/name form may not have more than one slash`);
  return { resource: await discovery.find(type), name };
}

async function typesOf(type: string, discovery: Discovery): Promise<readonly DiscoveredResource[]> {
  const category = await discovery.category(type);
  return category.length > 0 ? category : [await discovery.find(type)];
}
