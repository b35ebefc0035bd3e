import { ApiClient, type ApiResponse } from '@wherry/client';
import { describe, expect, it } from 'vitest';
import { Discovery } from './discovery.ts';
import { parseSelection } from './selection.ts';

function type(resource: string, kind: string, shortNames: readonly string[], categories: readonly string[] = []) {
  return {
    resource,
    responseKind: { group: '', version: 'v1', kind },
    scope: 'Namespaced',
    singularResource: kind.toLowerCase(),
    shortNames,
    categories,
    verbs: ['get', 'list'],
  };
}
const documents: Readonly<Record<string, unknown>> = {
  '/api': {
    items: [
      {
        versions: [
          {
            version: 'v1',
            resources: [type('pods', 'Pod', ['po'], ['all']), type('services', 'Service', ['svc'], ['all'])],
          },
        ],
      },
    ],
  },
  '/apis': {
    items: [
      {
        metadata: { name: 'apps' },
        versions: [{ version: 'v1', resources: [type('deployments', 'Deployment', ['deploy'], ['all'])] }],
      },
    ],
  },
};
const client = new ApiClient({
  request: async ({ path }): Promise<ApiResponse> => ({
    status: 200,
    headers: {},
    body: (async function* () {
      yield Buffer.from(JSON.stringify(documents[path]));
    })(),
  }),
  close: async () => undefined,
});
const discovery = new Discovery(client);

async function read(words: string): Promise<readonly string[]> {
  const selections = await parseSelection(words === '' ? [] : words.split(' '), discovery);
  return selections.map(({ resource, name }) => `${resource.resource}${name === undefined ? '' : `/${name}`}`);
}

describe('parseSelection', () => {
  it.each([
    ['pods', ['pods']],
    ['po a b', ['pods/a', 'pods/b']],
    ['Pod a', ['pods/a']],
    ['pod/a deploy/b', ['pods/a', 'deployments/b']],
    ['pods,svc', ['pods', 'services']],
    ['deployments.apps', ['deployments']],
    ['deployments.v1.apps web', ['deployments/web']],
    ['all', ['pods', 'services', 'deployments']],
  ])('%s', async (words, selected) => expect(await read(words)).toEqual(selected));

  it.each([
    ['', /must specify the type/],
    ['foo', /doesn't have a resource type "foo"/],
    ['pods svc/web', /no need to specify a resource type/],
    ['a/b/c', /more than one slash/],
    ['pods/', /more than one slash/],
  ])('refuses "%s"', async (words, message) => {
    await expect(read(words)).rejects.toThrow(message);
  });
});
