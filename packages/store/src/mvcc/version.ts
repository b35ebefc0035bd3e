import type { KeyValue, LeaseId, Revision } from '../schema/messages.ts';
import type { KeyEntry } from './key-index.ts';
import type { Slab } from './slabs.ts';

/** What keeping one version costs beside its value and key: objects, index entry, history slot. Estimated. */
export const VERSION_OVERHEAD_BYTES = 160;

/**
 * One state of one key: a put, or a tombstone (version 0). Newest first, versions of a key form a chain through
 * `previous`, so that reading at an old revision walks back and compaction is one cut. Reads as a KeyValue; its bytes
 * stay in the slab until somebody looks.
 */
export class Version implements KeyValue {
  readonly entry: KeyEntry;
  readonly modRevision: Revision;
  /** Position among the changes of its revision. */
  readonly sub: number;
  readonly createRevision: Revision;
  readonly version: number;
  readonly lease: LeaseId;
  slab: Slab;
  offset: number;
  readonly length: number;
  previous: Version | undefined;

  constructor(
    entry: KeyEntry,
    at: { readonly modRevision: Revision; readonly sub: number },
    made: { readonly createRevision: Revision; readonly version: number; readonly lease: LeaseId },
    place: { readonly slab: Slab; readonly offset: number; readonly length: number },
    previous: Version | undefined,
  ) {
    this.entry = entry;
    this.modRevision = at.modRevision;
    this.sub = at.sub;
    this.createRevision = made.createRevision;
    this.version = made.version;
    this.lease = made.lease;
    this.slab = place.slab;
    this.offset = place.offset;
    this.length = place.length;
    this.previous = previous;
  }

  get deleted(): boolean {
    return this.version === 0;
  }

  get key(): Buffer {
    return Buffer.from(this.entry.key, 'latin1');
  }

  get value(): Buffer {
    return this.slab.bytes.subarray(this.offset, this.offset + this.length);
  }

  get sizeBytes(): number {
    return VERSION_OVERHEAD_BYTES + this.entry.key.length + this.length;
  }
}

/** The version of a key that was newest at `revision`; undefined if it had none, or was deleted. */
export function versionAt(entry: KeyEntry, revision: number): Version | undefined {
  let version = entry.head;
  while (version !== undefined && version.modRevision > revision) version = version.previous;
  return version === undefined || version.deleted ? undefined : version;
}
