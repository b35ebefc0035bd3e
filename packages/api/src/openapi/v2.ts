// OpenAPI v2 (Swagger): one document for everything.
import { facts } from '../facts/table.ts';
import { resourceTable } from '../generated/resources.ts';
import { type Operation, type PathItem, resourcePaths } from './operations.ts';
import { answerTexts, objectMediaTypes, parameterType, patchMediaTypes, streamMediaTypes } from './parameters.ts';
import { type Json, referencePath, schemasOf } from './schemas.ts';

/** The whole document, built anew on each call: keep the result, or rather its text. */
export function openApiV2Document(version: string): Json {
  const groupVersions = new Map(resourceTable.map((entry) => [`${entry.group}/${entry.version}`, entry]));
  const items = [...groupVersions.values()].flatMap((entry) => resourcePaths(entry.group, entry.version));
  return {
    swagger: '2.0',
    info: { title: 'Kubernetes', version },
    paths: Object.fromEntries(items.map((item) => [item.path, pathDocument(item)])),
    definitions: schemasOf(facts.definitionNames(), 'v2'),
    securityDefinitions: { BearerToken: { type: 'apiKey', name: 'authorization', in: 'header' } },
    security: [{ BearerToken: [] }],
  };
}

function pathDocument({ pathParameters, operations }: PathItem): Json {
  const parameters = pathParameters.map((name) => parameter(name, name === 'pretty' ? 'query' : 'path'));
  return {
    ...Object.fromEntries(operations.map((operation) => [operation.method, operationDocument(operation)])),
    parameters,
  };
}

function parameter(name: string, where: 'path' | 'query'): Json {
  return {
    name,
    in: where,
    type: parameterType(name),
    uniqueItems: true,
    ...(where === 'path' ? { required: true } : {}),
  };
}

function operationDocument({ tag, operationId, query, body, answer, action, kind }: Operation): Json {
  const schema =
    answer.definition === undefined ? { type: 'string' } : { $ref: referencePath(answer.definition, 'v2') };
  const parameters = query.map((name) => parameter(name, 'query'));
  if (body !== undefined) {
    const { definition, required } = body;
    const ofBody = { $ref: referencePath(definition, 'v2') };
    parameters.unshift({ name: 'body', in: 'body', ...(required ? { required } : {}), schema: ofBody });
  }
  const answers = answer.codes.map((code) => [code, { description: answerTexts[code], schema }]);
  return {
    tags: [tag],
    operationId,
    schemes: ['https'],
    consumes: body?.patch === true ? patchMediaTypes : ['*/*'],
    produces: produced(answer),
    ...(parameters.length === 0 ? {} : { parameters }),
    responses: { ...Object.fromEntries(answers), 401: { description: answerTexts[401] } },
    ...(action === undefined ? {} : { 'x-kubernetes-action': action }),
    ...(kind === undefined ? {} : { 'x-kubernetes-group-version-kind': kind }),
  };
}

function produced({ definition, stream }: Operation['answer']): readonly string[] {
  if (definition === undefined) return ['*/*'];
  return stream === true ? [...objectMediaTypes, ...streamMediaTypes] : objectMediaTypes;
}
