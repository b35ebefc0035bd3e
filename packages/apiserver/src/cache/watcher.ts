import type { Entry } from './entry.ts';
import type { ChangeEvent, EventType } from './event.ts';
import type { Follower, ResourceCache } from './resource-cache.ts';
import type { WatchForm } from './watch-form.ts';

/** Bytes handed to a connection in one write. */
const WRITE_BYTES_MAX = 256 * 1024;

/** Where frames go. */
export interface WatchOutput {
  /** False: the connection is full; the output calls `resume` of its watcher once it has room. */
  write(chunk: Buffer): boolean;
  end(): void;
}

/** What a watcher wants to see. Undefined parts do not restrict. */
export interface Selection {
  readonly namespace: string | undefined;
  matches(entry: Entry): boolean;
  /** True if `matches` depends on nothing but the name and namespace, so an object never moves in or out. */
  readonly byIdentityOnly: boolean;
}

/** Why a watcher stopped by itself. */
export type WatchEnd = 'fellBehind' | 'cutOff' | 'failed';

export interface WatcherStart {
  /** Objects to send as ADDED first. */
  readonly initial?: Iterator<Entry>;
  /** Send a bookmark with the initial-events-end annotation after `initial`. */
  readonly bookmarkAfterInitial?: number;
  /** First position in the history to send; see History. */
  readonly position: number;
  /** Changes at or below this revision are known to the client (it may lie in the future). */
  readonly afterRevision: number;
}

/**
 * A cursor over a resource's history. It holds no events of its own: a connection that is slow simply stays behind,
 * and one that falls out of the history is cut off with 410, so watchers cost no memory that is not bounded.
 */
export class Watcher implements Follower {
  readonly #cache: ResourceCache;
  readonly #selection: Selection;
  #form: WatchForm;
  readonly #output: WatchOutput;
  readonly #onEnd: (reason: WatchEnd, error?: unknown) => void;
  #initial: Iterator<Entry> | undefined;
  #bookmarkAfterInitial: number | undefined;
  #position: number;
  readonly #afterRevision: number;
  #full = false;
  #ended = false;

  constructor(
    cache: ResourceCache,
    selection: Selection,
    form: WatchForm,
    output: WatchOutput,
    start: WatcherStart,
    onEnd: (reason: WatchEnd, error?: unknown) => void,
  ) {
    this.#cache = cache;
    this.#selection = selection;
    this.#form = form;
    this.#output = output;
    this.#onEnd = onEnd;
    this.#initial = start.initial;
    this.#bookmarkAfterInitial = start.bookmarkAfterInitial;
    this.#position = start.position;
    this.#afterRevision = start.afterRevision;
    cache.followers.add(this);
  }

  /** The connection has room again. */
  resume(): void {
    this.#full = false;
    this.advance();
  }

  advance(): void {
    while (!this.#full && !this.#ended && (this.#initial !== undefined || this.#position < this.#cache.history.end)) {
      const frames: Buffer[] = [];
      const failure = this.#collect(frames);
      this.#write(frames);
      if (failure !== undefined) {
        this.#end('failed', failure.error);
      }
    }
  }

  /** An object that cannot be encoded ends this watch, not the cache that feeds all of them. */
  #collect(frames: Buffer[]): { readonly error: unknown } | undefined {
    try {
      if (this.#initial === undefined) {
        this.#collectChanges(frames);
      } else {
        this.#collectInitial(this.#initial, frames);
      }
      return undefined;
    } catch (error) {
      return { error };
    }
  }

  #write(frames: readonly Buffer[]): void {
    const first = frames[0];
    if (first === undefined || this.#ended) {
      return;
    }
    this.#full = !this.#output.write(frames.length === 1 ? first : Buffer.concat(frames));
  }

  #collectInitial(initial: Iterator<Entry>, frames: Buffer[]): void {
    let bytes = 0;
    while (bytes < WRITE_BYTES_MAX) {
      const next = initial.next();
      if (next.done === true) {
        this.#initial = undefined;
        if (this.#bookmarkAfterInitial !== undefined) {
          this.#push(frames, this.#form.bookmark(this.#bookmarkAfterInitial, true));
          this.#bookmarkAfterInitial = undefined;
        }
        return;
      }
      const added = this.#form.frame('ADDED', next.value);
      bytes += this.#push(frames, added);
    }
  }

  #push(frames: Buffer[], frame: Buffer): number {
    frames.push(frame);
    this.#form = this.#form.after ?? this.#form;
    return frame.length;
  }

  #collectChanges(frames: Buffer[]): void {
    const { history } = this.#cache;
    let bytes = 0;
    while (this.#position < history.end && bytes < WRITE_BYTES_MAX) {
      const event = history.at(this.#position);
      if (event === undefined) {
        this.#end('fellBehind');
        return;
      }
      this.#position += 1;
      const made = event.revision > this.#afterRevision ? this.#frameOf(event) : undefined;
      if (made !== undefined) {
        bytes += this.#push(frames, made);
      }
    }
  }

  #frameOf(event: ChangeEvent): Buffer | undefined {
    const type = this.#typeOf(event);
    if (type === undefined) {
      return undefined;
    }
    return event.frame(type, this.#form);
  }

  /** What the change looks like through the selection: an object that moves out of it is DELETED for this watcher. */
  #typeOf(event: ChangeEvent): EventType | undefined {
    const { current, previous } = event;
    const { namespace } = this.#selection;
    if (namespace !== undefined && event.entry.namespace !== namespace) {
      return undefined;
    }
    const now = current !== undefined && this.#selection.matches(current);
    const before =
      previous !== undefined &&
      (this.#selection.byIdentityOnly && current !== undefined ? now : this.#selection.matches(previous));
    if (now) {
      return before ? 'MODIFIED' : 'ADDED';
    }
    return before ? 'DELETED' : undefined;
  }

  /** Tells the client how far it has come, unless there is still something to send first. */
  bookmark(revision: number): void {
    if (
      revision > 0 &&
      !this.#full &&
      !this.#ended &&
      this.#initial === undefined &&
      this.#position >= this.#cache.history.end &&
      revision >= this.#afterRevision
    ) {
      const frames: Buffer[] = [];
      this.#push(frames, this.#form.bookmark(revision, false));
      this.#write(frames);
    }
  }

  cutOff(): void {
    this.#end('cutOff');
  }

  #end(reason: WatchEnd, error?: unknown): void {
    if (!this.#ended) {
      this.close();
      this.#onEnd(reason, error);
    }
  }

  close(): void {
    this.#ended = true;
    this.#cache.followers.delete(this);
  }
}
