import { NOBODY } from '../raft/types.ts';
import { ByteReader } from '../schema/bytes.ts';
import { storeErrors } from '../schema/errors.ts';
import { CONNECTION_WATCHES_MAX, GRPC_CALL_OUT_BYTES_MAX, REQUEST_BYTES_MAX } from '../schema/limits.ts';
import type { WatchBatch, WatchEvent } from '../schema/messages.ts';
import { WatchStream } from '../server/watch-stream.ts';
import type { CallHandler, GrpcCall } from './call.ts';
import { type WatchAnswer, type WatchCreate, watchAnswer, watchCall, watchOptions, watchRequest } from './codecs.ts';
import type { GrpcMethod } from './method.ts';
import type { ServiceParts } from './services.ts';
import { statusOf } from './status.ts';

/** Stands for no watch, or for all of the stream. */
const NO_WATCH = -1;
const SMALLEST_KEY = Buffer.from([0]);
/** What an event costs on the wire beside its bytes, roughly. */
const EVENT_OVERHEAD_BYTES = 40;

/** etcd's Watch: many watches on one call, told apart by their numbers. */
export function watchMethod(parts: ServiceParts): GrpcMethod {
  return (call) => new Watches(call, parts);
}

class Watches implements CallHandler {
  readonly #call: GrpcCall;
  readonly #parts: ServiceParts;
  readonly #watches = new Map<number, WatchStream>();
  #nextId = 0;
  #progressAsked = false;

  constructor(call: GrpcCall, parts: ServiceParts) {
    this.#call = call;
    this.#parts = parts;
    parts.watches.add(this);
  }

  message(bytes: Buffer): void {
    const { create, cancel, progress } = watchCall.read(new ByteReader(bytes));
    if (create !== undefined) {
      const request = watchRequest.read(new ByteReader(create));
      this.#create({ ...request, ...watchOptions.read(new ByteReader(create)) });
    } else if (cancel !== undefined) this.#cancel(cancel.watchId);
    else if (progress !== undefined) {
      this.#progressAsked = true;
      this.#answerProgress();
    }
  }

  drained(): void {
    for (const watch of this.#watches.values()) watch.pump();
  }

  closed(): void {
    this.#parts.watches.delete(this);
    for (const watch of this.#watches.values()) watch.close();
    this.#watches.clear();
  }

  /** The member has had no leader for long. */
  leaderLost(): void {
    if (this.#call.requiresLeader) this.#call.finish(statusOf({ refused: 'noLeader' }));
  }

  #create(request: WatchCreate): void {
    const problem = this.#problemWith(request);
    if (problem !== undefined) {
      this.#send({ watchId: NO_WATCH, created: true, canceled: true, cancelReason: problem });
      return;
    }
    const id = request.watchId === 0 ? this.#freeId() : request.watchId;
    this.#send({ watchId: id, created: true });
    const key = request.key.length === 0 ? SMALLEST_KEY : request.key;
    const watch = new WatchStream(
      this.#parts.replica,
      this.#parts.clock,
      { ...request, key },
      {
        batch: (batch) => this.#batch(id, request.fragment, batch),
        refused: (refusal) => {
          this.#watches.delete(id);
          const { compactRevision = 0 } = refusal;
          const cancelReason = compactRevision === 0 ? storeErrors[refusal.refused].message : '';
          this.#send({ watchId: id, canceled: true, compactRevision, cancelReason });
        },
        mayBatch: () => this.#call.waitingBytes <= GRPC_CALL_OUT_BYTES_MAX,
        current: () => this.#answerProgress(),
      },
      // What the reader can take is HTTP/2's business.
      Number.POSITIVE_INFINITY,
    );
    this.#watches.set(id, watch);
  }

  #problemWith({ key, rangeEnd, startRevision = 0, watchId }: WatchCreate): string | undefined {
    if (startRevision < 0) return storeErrors.compacted.message;
    if (this.#watches.has(watchId) && watchId !== 0) return 'mvcc: duplicate watch ID provided on the WatchStream';
    if (this.#watches.size >= CONNECTION_WATCHES_MAX) return storeErrors.tooManyRequests.message;
    const start = key.length === 0 ? SMALLEST_KEY : (key as Buffer);
    const toTheEnd = rangeEnd?.length === 1 && rangeEnd[0] === 0;
    if (rangeEnd === undefined || rangeEnd.length === 0 || toTheEnd) return undefined;
    return start.compare(rangeEnd as Buffer) < 0 ? undefined : 'mvcc: watcher range is empty';
  }

  #cancel(id: number): void {
    const watch = this.#watches.get(id);
    if (watch === undefined) return;
    watch.close();
    this.#watches.delete(id);
    this.#send({ watchId: id, canceled: true });
  }

  #freeId(): number {
    while (this.#watches.has(this.#nextId)) this.#nextId++;
    return this.#nextId++;
  }

  #batch(watchId: number, fragment: boolean, { revision, events }: WatchBatch): void {
    if (!fragment) this.#send({ watchId, revision, events });
    else {
      const parts = fragments(events);
      for (const [i, part] of parts.entries()) {
        this.#send({ watchId, revision, events: part, fragment: i < parts.length - 1 });
      }
    }
  }

  /** Everything up to the store's revision has been sent on every watch: say so, once for all. */
  #answerProgress(): void {
    if (!this.#progressAsked) return;
    for (const watch of this.#watches.values()) if (!watch.current) return;
    this.#progressAsked = false;
    this.#send({ watchId: NO_WATCH });
  }

  #send(answer: Partial<WatchAnswer> & { readonly watchId: number }): void {
    const whole: WatchAnswer = {
      revision: this.#parts.replica.mvcc.revision,
      created: false,
      canceled: false,
      compactRevision: 0,
      cancelReason: '',
      fragment: false,
      events: [],
      ...answer,
    };
    this.#call.send((writer) => watchAnswer.write(writer, whole, this.#parts.facts()));
  }
}

/** Cuts the events of a response so that no part is much larger than the largest request. At least one part. */
export function fragments(events: readonly WatchEvent[], bytesMax = REQUEST_BYTES_MAX): (readonly WatchEvent[])[] {
  const parts: WatchEvent[][] = [[]];
  let sizeBytes = 0;
  for (const event of events) {
    const { kv, prevKv } = event;
    const bytes = EVENT_OVERHEAD_BYTES + kv.key.length + kv.value.length + (prevKv?.value.length ?? 0);
    if (sizeBytes > 0 && sizeBytes + bytes > bytesMax) {
      parts.push([]);
      sizeBytes = 0;
    }
    parts.at(-1)?.push(event);
    sizeBytes += bytes;
  }
  return parts;
}

/** A stream that wants a leader is not even begun without one. */
export function lacksLeader(call: GrpcCall, { replica }: Pick<ServiceParts, 'replica'>): boolean {
  return call.requiresLeader && replica.raft.leader === NOBODY;
}
