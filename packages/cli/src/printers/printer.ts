import type { ApiObject } from '@wherry/api';
import { dump } from 'js-yaml';
import { VerbError } from '../kube/verb-error.ts';
import type { DiscoveredResource } from '../kube/discovery.ts';
import { alignColumns } from './columns.ts';
import { fillTemplate, valuesAt, valueText } from './json-path.ts';

/** Output formats that print objects; tables are the server's work. */
export type OutputFormat =
  | { readonly kind: 'table'; readonly wide: boolean }
  | { readonly kind: 'json' | 'yaml' | 'name' }
  | { readonly kind: 'jsonpath'; readonly template: string }
  | {
      readonly kind: 'custom-columns';
      readonly columns: readonly { readonly heading: string; readonly path: string }[];
    };

export const OUTPUT_HELP = 'wide, json, yaml, name, jsonpath=TEMPLATE or custom-columns=HEADING:PATH,…';

/** @throws Failure for an unknown format, naming those there are */
export function parseOutput(text: string | undefined): OutputFormat {
  if (text === undefined || text === '') return { kind: 'table', wide: false };
  if (text === 'wide') return { kind: 'table', wide: true };
  if (text === 'json' || text === 'yaml' || text === 'name') return { kind: text };
  const equals = text.indexOf('=');
  const [format, argument] = [text.slice(0, equals), text.slice(equals + 1)];
  if (format === 'jsonpath') return { kind: 'jsonpath', template: argument };
  if (format === 'custom-columns') {
    const columns = argument.split(',').map((column) => {
      const colon = column.indexOf(':');
      if (colon < 1) throw new VerbError(`custom-columns needs HEADING:PATH, not "${column}"`);
      return { heading: column.slice(0, colon), path: column.slice(colon + 1) };
    });
    return { kind: 'custom-columns', columns };
  }
  throw new VerbError(`unable to match a printer suitable for the output format "${text}"; known: ${OUTPUT_HELP}`);
}

/** `pod/web`, `deployment.apps/web`. */
export function displayName(resource: DiscoveredResource, name: string): string {
  return `${resource.kind.toLowerCase()}${resource.group === '' ? '' : `.${resource.group}`}/${name}`;
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
): string {
  if (format.kind === 'name') {
    return objects.map(({ resource, object }) => `${displayName(resource, object.metadata?.name ?? '')}\n`).join('');
  }
  const shown = objects.map(({ object }) => withoutManagedFields(object));
  if (format.kind === 'custom-columns') {
    const rows = shown.map((object) =>
      format.columns.map(({ path }) => valuesAt(path, object).map(valueText).join(',') || '<none>'),
    );
    return `${alignColumns([format.columns.map(({ heading }) => heading), ...rows]).join('\n')}\n`;
  }
  const whole = single ? shown[0] : { apiVersion: 'v1', kind: 'List', metadata: { resourceVersion: '' }, items: shown };
  switch (format.kind) {
    case 'json':
      return `${JSON.stringify(whole, undefined, 4)}\n`;
    case 'yaml':
      return toYaml(whole);
    case 'jsonpath':
      return fillTemplate(format.template, whole);
  }
}

export function toYaml(value: unknown): string {
  return dump(value, { lineWidth: -1, noRefs: true, sortKeys: true });
}

function withoutManagedFields(object: ApiObject): ApiObject {
  if (object.metadata?.managedFields === undefined) return object;
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}
