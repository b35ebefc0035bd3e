import { expired, internalError, type Status } from '@wherry/api';
import type { Entry } from '../cache/entry.ts';
import type { ResourceCache } from '../cache/resource-cache.ts';
import type { WatchForm } from '../cache/watch-form.ts';
import { type WatchEnd, Watcher, type WatcherStart } from '../cache/watcher.ts';
import type { ApiResponse, StreamOutput } from '../http/exchange.ts';
import type { Bookmarks } from './bookmarks.ts';
import type { StoredRequest } from './context.ts';
import { type ListOptions, parseListOptions } from './options.ts';
import { awaitRevision } from './read.ts';
import { type EntrySelection, selectionOf } from './selection.ts';
import { watchForm } from './watch-form.ts';

/** A watch without timeoutSeconds lasts between this and twice this (upstream's --min-request-timeout). */
const TIMEOUT_SECONDS_MIN = 1_800;

type Start = WatcherStart | { readonly expired: Status };

export async function watch(from: StoredRequest, bookmarks: Bookmarks): Promise<ApiResponse> {
  const { kind, stored, info } = from;
  const options = withName(parseListOptions(from.query, true), info.name);
  const selection = selectionOf(kind, stored, stored.namespaced ? info.namespace : '', options.labels, options.fields);
  const needsState = options.resourceVersion === undefined || options.sendInitialEvents === true;
  // A server that has just started waits until it knows the past that it can tell, or it would send everybody away.
  await awaitRevision(from, needsState ? options.resourceVersion : 0);
  const form = watchForm(from);
  return {
    kind: 'stream',
    status: 200,
    headers: { 'content-type': form.contentType },
    run: (output, signal) => run(from, options, selection, form, bookmarks, output, signal),
  };
}

function withName(options: ListOptions, name: string): ListOptions {
  if (name === '' || options.fields.some(({ field }) => field === 'metadata.name')) {
    return options;
  }
  return { ...options, fields: [...options.fields, { field: 'metadata.name', operator: '=', value: name }] };
}

function run(
  from: StoredRequest,
  options: ListOptions,
  selection: EntrySelection,
  form: WatchForm,
  bookmarks: Bookmarks,
  output: StreamOutput,
  signal: AbortSignal,
): void {
  const { clock, logger, random, watchCache } = from.registry;
  const { cache } = from.stored;
  const start = startOf(cache, options, selection, watchCache.revision);
  if ('expired' in start) {
    output.write(form.error(start.expired));
    output.end();
    return;
  }
  const seconds = options.timeoutSeconds || TIMEOUT_SECONDS_MIN * (1 + random.next());
  const end = (reason: WatchEnd | 'timeout' | 'gone', error?: unknown): void => {
    timer.cancel();
    watcher.close();
    bookmarks.remove(watcher);
    if (reason === 'fellBehind' || reason === 'cutOff') {
      output.write(form.error(expired('too old resource version: the watch fell behind the history').status));
    } else if (reason === 'failed') {
      logger.error({ err: error, path: from.info.path }, 'watch met an object that cannot be encoded');
      output.write(form.error(internalError((error as Error).message).status));
    }
    if (reason !== 'gone') {
      output.end();
    }
  };
  const watcher = new Watcher(cache, selection, form, output, start, end);
  const timer = clock.setTimer(seconds * 1000, () => {
    if (options.allowWatchBookmarks) {
      watcher.bookmark(watchCache.revision);
    }
    end('timeout');
  });
  if (options.allowWatchBookmarks) {
    bookmarks.add(watcher);
  }
  signal.addEventListener('abort', () => end('gone'), { once: true });
  output.onDrain(() => watcher.resume());
  watcher.advance();
}

function startOf(cache: ResourceCache, options: ListOptions, selection: EntrySelection, revision: number): Start {
  const { resourceVersion, sendInitialEvents } = options;
  if (sendInitialEvents === true) {
    return {
      initial: initialEntries(cache, selection),
      position: cache.history.end,
      afterRevision: revision,
      ...(options.allowWatchBookmarks ? { bookmarkAfterInitial: revision } : {}),
    };
  }
  if (resourceVersion === undefined || resourceVersion === 0) {
    return { position: cache.history.end, afterRevision: revision };
  }
  const position = cache.history.positionAfter(resourceVersion);
  if (position === undefined) {
    return {
      expired: expired(`too old resource version: ${resourceVersion} (${cache.history.oldestRevision})`).status,
    };
  }
  return { position, afterRevision: resourceVersion };
}

/** The arrays are taken now, not when the generator first runs: what is sent later is still this moment's state. */
function initialEntries(cache: ResourceCache, selection: EntrySelection): Generator<Entry> {
  return filtered(cache.snapshot(selection.namespace), selection);
}

function* filtered(parts: readonly (readonly Entry[])[], selection: EntrySelection): Generator<Entry> {
  for (const part of parts) {
    for (const entry of part) {
      if (selection.matches(entry)) {
        yield entry;
      }
    }
  }
}
