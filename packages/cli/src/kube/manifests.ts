import { readdirSync, readFileSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';
import { text as readAll } from 'node:stream/consumers';
import type { ApiObject } from '@wherry/api';
import { loadAll } from 'js-yaml';
import { Failure } from '../failure.ts';

const EXTENSIONS = new Set(['.yaml', '.yml', '.json']);

/** Objects of files, folders and `-` (standard input), in their order; lists are taken apart. */
export async function readManifests(
  paths: readonly string[],
  stdin: NodeJS.ReadableStream,
  recursive = false,
): Promise<readonly ApiObject[]> {
  const objects: ApiObject[] = [];
  for (const path of paths) {
    const texts = path === '-' ? [['stdin', await readAll(stdin)] as const] : filesOf(path, recursive);
    for (const [name, text] of texts) objects.push(...parseManifest(text, name));
  }
  if (objects.length === 0) throw new Failure(`No objects in ${paths.join(', ')}`);
  return objects;
}

/** @param name where the text came from, for messages */
export function parseManifest(text: string, name: string): readonly ApiObject[] {
  let documents: unknown[];
  try {
    documents = loadAll(text) as unknown[];
  } catch (cause) {
    throw new Failure(`error parsing ${name}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
  return documents
    .filter((document) => document !== null && document !== undefined)
    .flatMap((document) => flatten(document, name));
}

function flatten(document: unknown, name: string): readonly ApiObject[] {
  if (typeof document !== 'object' || document === null || Array.isArray(document)) {
    throw new Failure(`error parsing ${name}: a document is not an object`);
  }
  const object = document as ApiObject & { readonly items?: readonly unknown[] };
  if (typeof object.kind !== 'string' || typeof object.apiVersion !== 'string') {
    throw new Failure(`error validating ${name}: apiVersion or kind not set`);
  }
  if (object.kind.endsWith('List') && Array.isArray(object.items))
    return object.items.flatMap((item) => flatten(item, name));
  return [object];
}

function filesOf(path: string, recursive: boolean): readonly (readonly [string, string])[] {
  try {
    if (!statSync(path).isDirectory()) return [[path, readFileSync(path, 'utf8')]];
    return readdirSync(path, { recursive, withFileTypes: true })
      .filter((entry) => entry.isFile() && EXTENSIONS.has(extname(entry.name)))
      .map((entry) => join(entry.parentPath, entry.name))
      .sort()
      .map((file) => [file, readFileSync(file, 'utf8')] as const);
  } catch (cause) {
    throw new Failure(`the path "${path}" cannot be read`, { cause });
  }
}
