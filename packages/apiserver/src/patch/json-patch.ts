import { isList, isObject, type Json, type JsonObject, jsonEqual, PatchError } from './json.ts';
import { setOwn } from './merge-patch.ts';

/** Upstream refuses longer patches with 413. */
export const JSON_PATCH_OPERATIONS_MAX = 10_000;

interface Operation {
  readonly op: string;
  readonly path: readonly string[];
  readonly text: string;
  readonly from?: readonly string[];
  readonly value?: Json;
}

/**
 * JSON patch (RFC 6902).
 * @throws {PatchError} 'malformed' when the patch is no patch, 'unprocessable' when it does not fit the document.
 */
export function applyJsonPatch(document: Json, patch: Json): Json {
  if (!isList(patch)) {
    throw new PatchError('malformed', 'json: cannot unmarshal object into Go value of type jsonpatch.Patch');
  }
  if (patch.length > JSON_PATCH_OPERATIONS_MAX) {
    throw new PatchError(
      'tooLarge',
      `The allowed maximum operations in a JSON patch is ${JSON_PATCH_OPERATIONS_MAX}, got ${patch.length}`,
    );
  }
  let result = document;
  for (const item of patch) {
    result = applyOne(result, parseOperation(item));
  }
  return result;
}

function parseOperation(item: Json): Operation {
  if (!isObject(item) || typeof item['op'] !== 'string') {
    throw new PatchError('malformed', 'Unexpected kind: a JSON patch operation needs an "op"');
  }
  const op = item['op'];
  const path = item['path'];
  if (typeof path !== 'string') {
    throw new PatchError('malformed', `operation ${op} missing path`);
  }
  const needsFrom = op === 'move' || op === 'copy';
  const from = item['from'];
  if (needsFrom && typeof from !== 'string') {
    throw new PatchError('malformed', `operation ${op} missing from`);
  }
  const value = item['value'];
  return {
    op,
    text: path,
    path: parsePointer(path),
    ...(needsFrom ? { from: parsePointer(String(from)) } : {}),
    ...(value === undefined ? {} : { value }),
  };
}

function parsePointer(pointer: string): readonly string[] {
  if (pointer === '') {
    return [];
  }
  if (!pointer.startsWith('/')) {
    throw new PatchError('unprocessable', `invalid JSON pointer "${pointer}": it must start with "/"`);
  }
  return pointer
    .slice(1)
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function applyOne(document: Json, operation: Operation): Json {
  switch (operation.op) {
    case 'add':
      return add(document, operation.path, 0, required(operation), operation.text);
    case 'remove':
      return remove(document, operation.path, 0, operation.text);
    case 'replace':
      find(document, operation.path, 'replace', operation.text);
      return replace(document, operation.path, 0, required(operation));
    case 'move': {
      const value = find(document, operation.from ?? [], 'move', operation.text);
      return add(remove(document, operation.from ?? [], 0, operation.text), operation.path, 0, value, operation.text);
    }
    case 'copy':
      return add(
        document,
        operation.path,
        0,
        find(document, operation.from ?? [], 'copy', operation.text),
        operation.text,
      );
    case 'test': {
      const actual = lookup(document, operation.path);
      if (!jsonEqual(actual ?? null, operation.value ?? null)) {
        throw new PatchError('unprocessable', `testing value ${operation.text} failed: test failed`);
      }
      return document;
    }
    default:
      throw new PatchError('malformed', `Unexpected kind: ${operation.op}`);
  }
}

function required(operation: Operation): Json {
  return operation.value ?? null;
}

function lookup(document: Json, path: readonly string[]): Json | undefined {
  let current: Json | undefined = document;
  for (const part of path) {
    if (isList(current)) {
      current = /^(0|[1-9]\d*)$/.test(part) ? current[Number(part)] : undefined;
    } else if (isObject(current) && Object.hasOwn(current, part)) {
      current = current[part];
    } else {
      return undefined;
    }
  }
  return current;
}

function find(document: Json, path: readonly string[], operation: string, text: string): Json {
  const value = lookup(document, path);
  if (value === undefined) {
    throw new PatchError(
      'unprocessable',
      `${operation} operation does not apply: doc is missing key: ${text}: missing value`,
    );
  }
  return value;
}

function listIndex(part: string, length: number, inclusive: boolean, text: string): number {
  if (inclusive && part === '-') {
    return length;
  }
  const index = /^(0|[1-9]\d*)$/.test(part) ? Number(part) : Number.NaN;
  if (!(index < length || (inclusive && index === length))) {
    throw new PatchError('unprocessable', `Unable to access invalid index: ${text}: invalid index referenced`);
  }
  return index;
}

function add(node: Json, path: readonly string[], depth: number, value: Json, text: string): Json {
  const part = path[depth];
  if (part === undefined) {
    return value;
  }
  const last = depth === path.length - 1;
  if (isList(node)) {
    const index = listIndex(part, node.length, last, text);
    return last
      ? node.toSpliced(index, 0, value)
      : node.with(index, add(node[index] ?? null, path, depth + 1, value, text));
  }
  if (!isObject(node) || (!last && !Object.hasOwn(node, part))) {
    throw new PatchError(
      'unprocessable',
      `add operation does not apply: doc is missing path: "${text}": missing value`,
    );
  }
  return withField(node, part, last ? value : add(node[part] ?? null, path, depth + 1, value, text));
}

function replace(node: Json, path: readonly string[], depth: number, value: Json): Json {
  const part = path[depth];
  if (part === undefined) {
    return value;
  }
  if (isList(node)) {
    return node.with(Number(part), replace(node[Number(part)] ?? null, path, depth + 1, value));
  }
  return isObject(node) ? withField(node, part, replace(node[part] ?? null, path, depth + 1, value)) : node;
}

function remove(node: Json, path: readonly string[], depth: number, text: string): Json {
  const part = path[depth];
  if (part === undefined) {
    return null;
  }
  const last = depth === path.length - 1;
  if (isList(node)) {
    const index = listIndex(part, node.length, false, text);
    return last ? node.toSpliced(index, 1) : node.with(index, remove(node[index] ?? null, path, depth + 1, text));
  }
  if (!isObject(node) || !Object.hasOwn(node, part)) {
    throw new PatchError(
      'unprocessable',
      `remove operation does not apply: doc is missing path: "${text}": missing value`,
    );
  }
  if (!last) {
    return withField(node, part, remove(node[part] ?? null, path, depth + 1, text));
  }
  const { [part]: _removed, ...rest } = node;
  return rest;
}

function withField(node: JsonObject, key: string, value: Json): JsonObject {
  const copy: Record<string, Json> = { ...node };
  setOwn(copy, key, value);
  return copy;
}
