import { badRequest, expired, notFound, StatusError, timeout, tooManyRequests } from '@wherry/api';
import type { Entry } from '../cache/entry.ts';
import { lowerBound } from '../cache/sorted-entries.ts';
import type { ApiResponse } from '../http/exchange.ts';
import { isStorageError } from '../storage/port.ts';
import type { StoredRequest } from './context.ts';
import { type ContinueToken, continueExpired, decodeContinue, encodeContinue } from './continue-token.ts';
import { listResponse } from './list-response.ts';
import { REVISION_WAIT_MS_MAX, translated } from './object-store.ts';
import { type ListOptions, parseListOptions, parseResourceVersion } from './options.ts';
import { entryResponse } from './render.ts';
import { type EntrySelection, selectionOf } from './selection.ts';

/** Keys read from the store at one time for lists at a past revision. */
const PAGE_KEYS = 1_000;

export async function get(from: StoredRequest): Promise<ApiResponse> {
  return entryResponse(from, 200, await getEntry(from));
}

export async function getEntry(from: StoredRequest): Promise<Entry> {
  const { info, stored } = from;
  await awaitRevision(from, parseResourceVersion(from.query.get('resourceVersion') ?? ''));
  const entry = stored.cache.get(info.namespace === '' || !stored.namespaced ? '' : info.namespace, info.name);
  if (entry === undefined) {
    throw notFound(stored, info.name);
  }
  return entry;
}

/** @param revision undefined: everything acknowledged so far; 0: whatever is there; else at least so new */
export async function awaitRevision(from: StoredRequest, revision: number | undefined): Promise<void> {
  const { store, watchCache } = from.registry;
  if (revision === undefined) {
    await store.fresh();
  } else if (!(await watchCache.reached(revision, REVISION_WAIT_MS_MAX))) {
    throw revision === 0 ? tooManyRequests('storage is (re)initializing', 1) : tooLarge(revision, watchCache.revision);
  }
}

export function tooLarge(revision: number, current: number): StatusError {
  const error = timeout(`Too large resource version: ${revision}, current: ${current}`, 1);
  const causes = [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }];
  return new StatusError({ ...error.status, details: { ...error.status.details, causes } });
}

/** What a list found. */
export interface Found {
  readonly entries: readonly Entry[];
  readonly revision: number;
  /** Key relative to the prefix at which the rest begins. */
  readonly next: string | undefined;
  readonly remaining: number | undefined;
}

export async function list(from: StoredRequest): Promise<ApiResponse> {
  const options = parseListOptions(from.query, false);
  const found = await findEntries(from, options);
  return listResponse(from, found, {
    resourceVersion: String(found.revision),
    ...(found.next === undefined ? {} : { continue: encodeContinue({ revision: found.revision, start: found.next }) }),
    ...(found.remaining === undefined ? {} : { remainingItemCount: found.remaining }),
  });
}

export async function findEntries(from: StoredRequest, options: ListOptions): Promise<Found> {
  const { kind, stored, info } = from;
  const selection = selectionOf(kind, stored, stored.namespaced ? info.namespace : '', options.labels, options.fields);
  const { watchCache } = from.registry;
  if (options.continueToken !== '') {
    const token = decodeContinue(options.continueToken);
    if ((options.resourceVersion ?? 0) > 0) {
      throw badRequest('specifying resource version is not allowed when using continue');
    }
    if (token.revision > 0 && !(stored.cache.changedAt <= token.revision && token.revision <= watchCache.revision)) {
      return findInPast(from, selection, token, options.limit);
    }
    await from.registry.store.fresh();
    const revision = token.revision > 0 ? token.revision : watchCache.revision;
    return findInCache(from, selection, revision, token.start, options.limit);
  }
  if (options.resourceVersion !== undefined && isExact(options)) {
    await awaitRevision(from, options.resourceVersion);
    if (stored.cache.changedAt > options.resourceVersion) {
      return findInPast(from, selection, { revision: options.resourceVersion, start: '' }, options.limit);
    }
    return findInCache(from, selection, options.resourceVersion, '', options.limit);
  }
  await awaitRevision(from, options.resourceVersion);
  return findInCache(from, selection, watchCache.revision, '', options.limit);
}

/** A limited list at a revision has always meant that very revision. */
function isExact({ match, limit, resourceVersion }: ListOptions): boolean {
  return match === 'Exact' || (match === '' && limit > 0 && (resourceVersion ?? 0) > 0);
}

function findInCache(
  from: StoredRequest,
  selection: EntrySelection,
  revision: number,
  start: string,
  limit: number,
): Found {
  const { cache, namespaced } = from.stored;
  if (selection.name !== undefined && selection.namespace !== undefined) {
    const entry = cache.get(selection.namespace, selection.name);
    return {
      entries: entry !== undefined && selection.matches(entry) ? [entry] : [],
      revision,
      next: undefined,
      remaining: undefined,
    };
  }
  const parts = cache.snapshot(selection.namespace);
  if (limit === 0 && start === '' && selection.selectsAll) {
    const only = parts[0];
    return {
      entries: parts.length === 1 && only !== undefined ? only : parts.flat(),
      revision,
      next: undefined,
      remaining: undefined,
    };
  }
  const entries: Entry[] = [];
  let next: string | undefined;
  let left = 0;
  for (const part of parts) {
    for (let index = startIndex(part, start, namespaced); index < part.length; index += 1) {
      const entry = part[index];
      if (entry === undefined || !selection.matches(entry)) {
        continue;
      }
      if (limit > 0 && entries.length >= limit) {
        next ??= relativeKey(entries.at(-1) ?? entry, namespaced);
        left += 1;
        if (!selection.selectsAll) {
          return { entries, revision, next, remaining: undefined };
        }
        continue;
      }
      entries.push(entry);
    }
  }
  return { entries, revision, next, remaining: next === undefined ? undefined : left };
}

/** The key after the last one sent; nothing lies between a key and itself with a zero byte. */
function relativeKey(entry: Entry, namespaced: boolean): string {
  return `${namespaced ? `${entry.namespace}/` : ''}${entry.name}\0`;
}

function startIndex(part: readonly Entry[], start: string, namespaced: boolean): number {
  const first = part[0];
  if (start === '' || first === undefined) {
    return 0;
  }
  if (!namespaced) {
    return lowerBound(part, start);
  }
  const slash = start.indexOf('/');
  const namespace = start.slice(0, slash + 1);
  const own = `${first.namespace}/`;
  if (own === namespace) {
    return lowerBound(part, start.slice(slash + 1));
  }
  return own < namespace ? part.length : 0;
}

/** A list as of a revision that the cache has left behind: read from the store's history, page by page. */
async function findInPast(
  from: StoredRequest,
  selection: EntrySelection,
  token: ContinueToken,
  limit: number,
): Promise<Found> {
  const { stored, registry } = from;
  const { cache } = stored;
  const prefix = cache.resource.prefix + (selection.namespace === undefined ? '' : `${selection.namespace}/`);
  const entries: Entry[] = [];
  let start = token.start === '' ? prefix : `${cache.resource.prefix}${token.start}`;
  for (;;) {
    const page = await listAt(from, prefix, token, start);
    for (const [index, item] of page.items.entries()) {
      const entry = cache.decode(item);
      if (!selection.matches(entry)) {
        continue;
      }
      if (limit > 0 && entries.length >= limit) {
        const remaining = page.items.length - index + page.remaining;
        const next = relativeKey(entries.at(-1) ?? entry, stored.namespaced);
        return { entries, revision: token.revision, next, remaining: selection.selectsAll ? remaining : undefined };
      }
      entries.push(entry);
    }
    const last = page.items.at(-1);
    if (last === undefined || page.remaining === 0) {
      return { entries, revision: token.revision, next: undefined, remaining: undefined };
    }
    start = `${last.key}\0`;
    registry.logger.debug({ start }, 'list in the past goes on');
  }
}

async function listAt(from: StoredRequest, prefix: string, token: ContinueToken, start: string) {
  try {
    return await from.registry.storage.list(prefix, { revision: token.revision, from: start, limit: PAGE_KEYS });
  } catch (error) {
    if (isStorageError(error, 'compacted')) {
      throw token.start === ''
        ? expired(`The resourceVersion for the provided list is too old.`)
        : continueExpired(token.start);
    }
    if (isStorageError(error, 'futureRevision')) {
      throw tooLarge(token.revision, from.registry.watchCache.revision);
    }
    return translated(Promise.reject(error));
  }
}
