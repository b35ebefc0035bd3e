import { type Encoding, withOtherRevision } from './encoding.ts';
import { Entry } from './entry.ts';
import type { WatchForm } from './watch-form.ts';

export type EventType = 'ADDED' | 'MODIFIED' | 'DELETED';

/** One change in a resource's history. Frames are made once per form and shared by all watchers. */
export class ChangeEvent {
  readonly revision: number;
  /** Absent when the object was deleted. */
  readonly current: Entry | undefined;
  readonly previous: Entry | undefined;
  readonly #encoding: Encoding;
  #frames: Map<string, Buffer> | undefined;
  #tombstone: Entry | undefined;

  constructor(revision: number, current: Entry | undefined, previous: Entry | undefined, encoding: Encoding) {
    this.revision = revision;
    this.current = current;
    this.previous = previous;
    this.#encoding = encoding;
  }

  get entry(): Entry {
    const entry = this.current ?? this.previous;
    if (entry === undefined) {
      throw new Error(`Event at revision ${this.revision} has neither a present nor a former object`);
    }
    return entry;
  }

  /** The last state before the object left, under the revision at which it left. */
  get tombstone(): Entry {
    this.#tombstone ??= this.#makeTombstone();
    return this.#tombstone;
  }

  #makeTombstone(): Entry {
    const last = this.previous ?? this.entry;
    const object = last.object();
    return new Entry(
      last,
      this.revision,
      withOtherRevision(this.#encoding, last.bytes, this.revision),
      { ...object, metadata: { ...object.metadata, resourceVersion: String(this.revision) } },
      last.attributes,
    );
  }

  /** A frame in the given form, made at most once. */
  frame(type: EventType, form: WatchForm): Buffer {
    const key = `${type} ${form.name}`;
    let made = this.#frames?.get(key);
    if (made === undefined) {
      made = form.frame(type, type === 'DELETED' ? this.tombstone : this.entry);
      this.#frames ??= new Map();
      this.#frames.set(key, made);
    }
    return made;
  }

  /** Gives memory back; frames are made anew when someone still wants them. */
  dropFrames(): void {
    this.#frames = undefined;
    this.#tombstone = undefined;
  }

  get sizeBytes(): number {
    return this.entry.bytes.length;
  }
}
