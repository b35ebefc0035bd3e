import { readdirSync, readFileSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';
import { text as readAll } from 'node:stream/consumers';
import type { ApiObject } from '@wherry/api';
import { loadYamlDocuments, yamlProblem } from '@wherry/client';
import { VerbError } from './verb-error.ts';

const EXTENSIONS = new Set(['.yaml', '.yml', '.json']);

/** An object and where it was read. */
export interface Manifest {
  readonly object: ApiObject;
  /** As messages name it: a path, a URL or `STDIN`. */
  readonly source: string;
}

/** Objects of files, folders, URLs and `-` (standard input), in their order; lists are taken apart. */
export async function readManifests(paths: readonly string[], recursive = false): Promise<readonly Manifest[]> {
  const manifests: Manifest[] = [];
  for (const path of paths) {
    for (const [source, text] of await textsOf(path, recursive)) {
      for (const object of parseManifest(text, source)) manifests.push({ object, source });
    }
  }
  return manifests;
}

async function textsOf(path: string, recursive: boolean): Promise<readonly (readonly [string, string])[]> {
  if (path === '-') return [['STDIN', await readAll(process.stdin)]];
  if (/^https?:\/\//.test(path)) {
    const response = await fetch(path);
    if (!response.ok)
      throw new VerbError(`unable to read URL "${path}", server reported ${response.status} ${response.statusText}`);
    return [[path, await response.text()]];
  }
  return filesOf(path, recursive);
}

/** @param source where the text came from, for messages */
export function parseManifest(text: string, source: string): readonly ApiObject[] {
  let documents: readonly unknown[];
  try {
    documents = loadYamlDocuments(text);
  } catch (cause) {
    throw new VerbError(`error parsing ${source}: error converting YAML to JSON: ${yamlProblem(cause)}`, { cause });
  }
  return documents
    .filter((document) => document !== null && document !== undefined)
    .flatMap((document) => flatten(document, source));
}

function flatten(document: unknown, source: string): readonly ApiObject[] {
  if (typeof document !== 'object' || document === null || Array.isArray(document)) {
    throw new VerbError(`error parsing ${source}: a document is not an object`);
  }
  const object = document as ApiObject & { readonly items?: readonly unknown[] };
  const missing = (['apiVersion', 'kind'] as const).filter(
    (key) => typeof object[key] !== 'string' || object[key] === '',
  );
  if (missing.length > 0) {
    const [first, second] = missing.map((key) => `${key} not set`);
    const what = second === undefined ? first : `[${first}, ${second}]`;
    throw new VerbError(`error validating "${source}": error validating data: ${what}`);
  }
  if (object.kind?.endsWith('List') === true && Array.isArray(object.items))
    return object.items.flatMap((item) => flatten(item, source));
  return [object];
}

function filesOf(path: string, recursive: boolean): readonly (readonly [string, string])[] {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) throw new VerbError(`the path "${path}" does not exist`);
  try {
    if (!found.isDirectory()) return [[path, readFileSync(path, 'utf8')]];
    const files = readdirSync(path, { recursive, withFileTypes: true })
      .filter((entry) => entry.isFile() && EXTENSIONS.has(extname(entry.name)))
      .map((entry) => join(entry.parentPath, entry.name))
      .sort();
    if (files.length === 0) {
      throw new VerbError(`error reading [${path}]: recognized file extensions are [.json .yaml .yml]`);
    }
    return files.map((file) => [file, readFileSync(file, 'utf8')] as const);
  } catch (cause) {
    if (cause instanceof VerbError) throw cause;
    throw new VerbError(`the path "${path}" cannot be read`, { cause });
  }
}
