import type { ApiObject } from '@wherry/api';
import type { DiscoveredResource } from '../kube/discovery.ts';
import { alignColumns } from './columns.ts';
import { goJson } from './go-json.ts';
import { goText } from './go-text.ts';
import { fillTemplate, valuesAt } from './json-path.ts';
import type { OutputFormat } from './output-format.ts';
import { toYaml } from './yaml.ts';

export { type OutputFormat, parseOutput } from './output-format.ts';
export { toYaml } from './yaml.ts';

/** `pod/web`, `deployment.apps/web`. */
export function displayName(resource: DiscoveredResource, name: string): string {
  return `${qualifiedName(resource)}/${name}`;
}

/** `pod`, `deployment.apps`: how messages name a type. */
export function qualifiedName(resource: DiscoveredResource): string {
  return `${resource.kind.toLowerCase()}${resource.group === '' ? '' : `.${resource.group}`}`;
}

export interface PrintedObject {
  readonly resource: DiscoveredResource;
  readonly object: ApiObject;
}

/**
 * Text of objects in a format other than table.
 * @param single one object was asked for by name: it is printed itself, not in a List
 */
export function printObjects(
  format: Exclude<OutputFormat, { readonly kind: 'table' }>,
  objects: readonly PrintedObject[],
  single: boolean,
  options: { readonly managedFields?: boolean; readonly headers?: boolean } = {},
): string {
  if (format.kind === 'name') {
    return objects.map(({ resource, object }) => `${displayName(resource, object.metadata?.name ?? '')}\n`).join('');
  }
  const shown = objects.map(({ object }) => (options.managedFields === true ? object : withoutManagedFields(object)));
  if (format.kind === 'custom-columns') {
    const rows = shown.map((object) =>
      format.columns.map(({ path }) => valuesAt(path, object).map(goText).join(',') || '<none>'),
    );
    const heading = options.headers === false ? [] : [format.columns.map((column) => column.heading)];
    return alignColumns([...heading, ...rows])
      .map((line) => `${line}\n`)
      .join('');
  }
  const whole = single ? shown[0] : { apiVersion: 'v1', items: shown, kind: 'List', metadata: { resourceVersion: '' } };
  switch (format.kind) {
    case 'json':
      return `${goJson(whole, 4)}\n`;
    case 'yaml':
      return toYaml(whole);
    case 'jsonpath':
      return fillTemplate(format.template, whole);
    case 'jsonpath-as-json':
      return `${goJson(valuesAt(format.template, whole), 4)}\n`;
  }
}

function withoutManagedFields(object: ApiObject): ApiObject {
  if (object.metadata?.managedFields === undefined) return object;
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}
