// OpenAPI v3: an index, and one document per group and version.
import { everyGroupVersion, factsText } from '../generated/facts.ts';
import { resourceTable } from '../generated/resources.ts';
import { type Operation, type PathItem, resourcePaths } from './operations.ts';
import { answerTexts, objectMediaTypes, parameterType, patchMediaTypes, streamMediaTypes } from './parameters.ts';
import { type Json, referencePath, schemasOf } from './schemas.ts';

/** Counts changes of how documents are printed, so that clients do not keep what they cached by hash. */
const printedFormat = 1;

const watchEvent = 'io.k8s.apimachinery.pkg.apis.meta.v1.WatchEvent';
const securitySchemes = { BearerToken: { type: 'apiKey', name: 'authorization', in: 'header' } };

/**
 * What `/openapi/v3` answers: the URL of each document, with a hash that changes when the document does.
 * Keys are `api/v1`, `apis/apps/v1`, ….
 */
export function openApiV3Index(): { readonly paths: Readonly<Record<string, { readonly serverRelativeURL: string }>> } {
  const hash = hashText(`${printedFormat} ${everyGroupVersion} ${factsText} ${JSON.stringify(resourceTable)}`);
  const paths = documentPaths().map(
    (path) => [path, { serverRelativeURL: `/openapi/v3/${path}?hash=${hash}` }] as const,
  );
  return { paths: Object.fromEntries(paths) };
}

/**
 * One document, built anew on each call: keep the result, or rather its text.
 * @param path key of the index, as `api/v1` or `apis/apps/v1`
 * @returns undefined for a path that the index does not have
 */
export function openApiV3Document(path: string): Json | undefined {
  if (!documentPaths().includes(path)) return undefined;
  const [, group = '', version = ''] = path === 'api/v1' ? ['api', '', 'v1'] : path.split('/');
  const items = resourcePaths(group, version);
  const definitions = items.flatMap(({ operations }) => operations.flatMap(definitionsOf));
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: 'unversioned' },
    paths: Object.fromEntries(items.map((item) => [item.path, pathDocument(item)])),
    components: { schemas: schemasOf(definitions, 'v3'), securitySchemes },
  };
}

function documentPaths(): string[] {
  return [
    ...new Set(
      resourceTable.map(({ group, version }) => (group === '' ? `api/${version}` : `apis/${group}/${version}`)),
    ),
  ];
}

function definitionsOf({ body, answer }: Operation): string[] {
  const watched = answer.stream === true ? watchEvent : undefined;
  return [body?.definition, answer.definition, watched].filter((name) => name !== undefined);
}

function pathDocument({ pathParameters, operations }: PathItem): Json {
  const parameters = pathParameters.map((name) => parameter(name, name === 'pretty' ? 'query' : 'path'));
  return {
    ...Object.fromEntries(operations.map((operation) => [operation.method, operationDocument(operation)])),
    parameters,
  };
}

function parameter(name: string, where: 'path' | 'query'): Json {
  const schema = { type: parameterType(name), uniqueItems: true };
  return { name, in: where, ...(where === 'path' ? { required: true } : {}), schema };
}

function operationDocument(operation: Operation): Json {
  const { tag, operationId, query, body, answer, action, kind } = operation;
  const answers = answer.codes.map((code) => [
    code,
    { description: answerTexts[code], content: answerContent(operation) },
  ]);
  return {
    tags: [tag],
    operationId,
    ...(query.length === 0 ? {} : { parameters: query.map((name) => parameter(name, 'query')) }),
    ...(body === undefined ? {} : { requestBody: requestBody(body) }),
    responses: { ...Object.fromEntries(answers), 401: { description: answerTexts[401] } },
    ...(action === undefined ? {} : { 'x-kubernetes-action': action }),
    ...(kind === undefined ? {} : { 'x-kubernetes-group-version-kind': kind }),
  };
}

function requestBody({ definition, required, patch }: NonNullable<Operation['body']>): Json {
  const types = patch === true ? patchMediaTypes : ['*/*'];
  return { content: contentOf(types, definition), ...(required ? { required } : {}) };
}

function answerContent({ answer }: Operation): Json {
  if (answer.definition === undefined) return { '*/*': { schema: { type: 'string' } } };
  const types = answer.stream === true ? [...objectMediaTypes, ...streamMediaTypes] : objectMediaTypes;
  return contentOf(types, answer.definition);
}

function contentOf(types: readonly string[], definition: string): Json {
  const schema = { $ref: referencePath(definition, 'v3') };
  return Object.fromEntries(types.map((type) => [type, { schema }]));
}

/** FNV-1a of 64 bits, as two halves of 32: it only has to change when the text does. */
function hashText(text: string): string {
  let low = 0x811c9dc5;
  let high = 0xcbf29ce4;
  for (let index = 0; index < text.length; index += 1) {
    low = Math.imul(low ^ text.charCodeAt(index), 0x01000193);
    high = Math.imul(high ^ text.charCodeAt(index), 0x01000197);
  }
  return [high, low]
    .map((half) => (half >>> 0).toString(16).padStart(8, '0'))
    .join('')
    .toUpperCase();
}
