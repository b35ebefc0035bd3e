import { isNotFound, methodNotSupported } from '@wherry/api';
import type { Entry } from '../cache/entry.ts';
import type { ApiResponse } from '../http/exchange.ts';
import type { StoredRequest } from './context.ts';
import { readDeletion, removeObject } from './delete.ts';
import { listResponse } from './list-response.ts';
import { parseListOptions } from './options.ts';
import { findEntries } from './read.ts';

/** Deletions of one request under way at a time. */
const WORKERS = 16;

export async function deleteCollection(from: StoredRequest): Promise<ApiResponse> {
  const { stored, kind, info } = from;
  if (stored.namespaced && info.namespace === '') {
    throw methodNotSupported(kind.resource, 'deletecollection');
  }
  const deletion = await readDeletion(from);
  const found = await findEntries(from, parseListOptions(from.query, false));
  const removed: (Entry | undefined)[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    for (let index = next; index < found.entries.length; index = next) {
      next += 1;
      const entry = found.entries[index];
      if (entry !== undefined) {
        removed[index] = await removeOne(entry);
      }
    }
  };
  const removeOne = async (entry: Entry): Promise<Entry | undefined> => {
    try {
      return (await removeObject(from, entry.namespace, entry.name, deletion)).entry;
    } catch (error) {
      if (isNotFound(error)) {
        return undefined;
      }
      throw error;
    }
  };
  await Promise.all(Array.from({ length: Math.min(WORKERS, found.entries.length) }, work));
  const entries = removed.filter((entry) => entry !== undefined);
  return listResponse(from, { ...found, entries }, { resourceVersion: String(found.revision) });
}
