import type { Status } from '@wherry/api';
import type { Entry } from './entry.ts';
import type { EventType } from './event.ts';

/** How a watch writes its events: encoding, plain objects or Tables or metadata, another API version. */
export interface WatchForm {
  /** Names the form, so that equal frames are made once. */
  readonly name: string;
  readonly contentType: string;
  /** The form of all events after the first, where that is another one. */
  readonly after?: WatchForm;
  /** @throws what the encoding throws for a damaged object */
  frame(type: EventType, entry: Entry): Buffer;
  bookmark(revision: number, initialEventsEnd: boolean): Buffer;
  error(status: Status): Buffer;
}
