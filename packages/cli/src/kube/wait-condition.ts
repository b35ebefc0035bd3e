import type { ApiObject } from '@wherry/api';
import { valuesAt, valueText } from '../printers/json-path.ts';
import { VerbError } from './verb-error.ts';

/** What `wherry wait --for` waits for. */
export type WaitCondition =
  | { readonly kind: 'create' }
  | { readonly kind: 'delete' }
  | { readonly kind: 'condition'; readonly name: string; readonly value: string }
  | { readonly kind: 'jsonpath'; readonly path: string; readonly value: string | undefined };

/** @throws VerbError with kubectl's words */
export function parseCondition(text: string): WaitCondition {
  const lower = text.toLowerCase();
  if (lower === 'create' || lower === 'delete') return { kind: lower };
  if (text.startsWith('condition=')) {
    const [name = '', value = 'true', ...more] = text.slice('condition='.length).split('=');
    if (name === '' || more.length > 0) throw new VerbError(`unrecognized condition: "${text}"`);
    return { kind: 'condition', name, value };
  }
  if (text.startsWith('jsonpath=')) return jsonPathCondition(text.slice('jsonpath='.length));
  throw new VerbError(`unrecognized condition: "${text}"`);
}

function jsonPathCondition(text: string): WaitCondition {
  const unquoted = text.replace(/^'(.*?)'/s, '$1');
  const braced = /^(\{[\s\S]*\})(?:=([\s\S]*))?$/.exec(unquoted);
  const [path = '', value] = braced === null ? splitPlain(unquoted) : [braced[1], braced[2]];
  if (path === '') throw new VerbError('jsonpath expression cannot be empty');
  if (value === '') throw new VerbError('jsonpath wait has to have a value after the "="');
  return { kind: 'jsonpath', path, value: value?.replace(/^(['"])(.*)\1$/s, '$2') };
}

function splitPlain(text: string): readonly [string, string | undefined] {
  const equals = text.indexOf('=');
  return equals === -1 ? [text, undefined] : [text.slice(0, equals), text.slice(equals + 1)];
}

interface WithConditions extends ApiObject {
  readonly metadata?: NonNullable<ApiObject['metadata']>;
  readonly status?: {
    readonly observedGeneration?: number;
    readonly conditions?: readonly {
      readonly type?: string;
      readonly status?: string;
      readonly observedGeneration?: number;
    }[];
  };
}

/** Whether an object is as wished; a missing one is undefined. */
export function isMet(condition: WaitCondition, object: ApiObject | undefined): boolean {
  if (condition.kind === 'create') return object !== undefined;
  if (condition.kind === 'delete') return object === undefined;
  if (object === undefined) return false;
  if (condition.kind === 'condition') {
    const { metadata, status } = object as WithConditions;
    const found = status?.conditions?.find(({ type }) => type?.toLowerCase() === condition.name.toLowerCase());
    if (found === undefined) return false;
    // A condition about an earlier state of the object says nothing about this one.
    const observed = found.observedGeneration ?? status?.observedGeneration;
    if (observed !== undefined && observed < (metadata?.generation ?? 0)) return false;
    return found.status?.toLowerCase() === condition.value.toLowerCase();
  }
  const values = valuesAt(condition.path, object);
  if (condition.value === undefined) return values.length > 0;
  if (values.length > 1) throw new VerbError('given jsonpath expression matches more than one value');
  const [value] = values;
  if (typeof value === 'object' && value !== null) {
    throw new VerbError('jsonpath leads to a nested object or list which is not supported');
  }
  return value !== undefined && valueText(value) === condition.value;
}
