import type { Duplex } from 'node:stream';
import { ByteReader, ByteWriter } from '../schema/bytes.ts';
import { type Codec, encode, message, NO_FACTS } from '../schema/codec.ts';
import { StoreError, type StoreErrorKind, storeErrors } from '../schema/errors.ts';
import { answers, beginFrame, endFrame, FrameReader, requests } from '../schema/frames.ts';
import { RESPONSE_BYTES_MAX } from '../schema/limits.ts';
import type { Revision, WatchBatch, WatchRequest } from '../schema/messages.ts';
import { watchBatch, watchRequest, wireError } from '../schema/other-codecs.ts';

/** A response may be a little larger than its values. */
const FRAME_BYTES_MAX = RESPONSE_BYTES_MAX * 2;

export const emptyRequest = message<object>({}, {});

interface PendingCall {
  resolve(payload: Buffer): void;
  reject(error: unknown): void;
}

export interface WatchEvents {
  /** From here on nothing is missed. */
  created(revision: Revision): void;
  batch(batch: WatchBatch): void;
  /** The watch is over: refused, compacted, or `connectionLost`. */
  ended(error: StoreError): void;
}

/** One connection to a member: many requests and watches at a time over a framed stream. */
export class StoreConnection {
  readonly endpoint: string;
  readonly #stream: Duplex;
  readonly #calls = new Map<number, PendingCall>();
  readonly #watches = new Map<number, WatchEvents>();
  readonly #onClose: () => void;
  #writer: ByteWriter | undefined;
  #lastId = 0;
  #retired = false;
  #failure: StoreError | undefined;
  #received = 0;

  constructor(endpoint: string, stream: Duplex, onClose: () => void) {
    this.endpoint = endpoint;
    this.#stream = stream;
    this.#onClose = onClose;
    const frames = new FrameReader(FRAME_BYTES_MAX, (kind, id, payload) => this.#frame(kind, id, payload));
    stream.on('data', (chunk: Buffer) => {
      this.#received += 1;
      try {
        frames.push(chunk);
      } catch (error) {
        this.close(error);
      }
    });
    stream.on('error', (error) => this.close(error));
    stream.on('close', () => this.close(undefined));
  }

  get closed(): boolean {
    return this.#failure !== undefined;
  }

  /** Grows whenever the member says something. */
  get received(): number {
    return this.#received;
  }

  /** Makes a member that lives say something. */
  ping(): void {
    const id = this.#nextId();
    // The answer counts, whatever it is; a connection that fails tells its callers itself.
    this.#calls.set(id, { resolve: () => undefined, reject: () => undefined });
    this.#send(requests.status, id, (writer) => writer.bytes(encode(emptyRequest, {})));
  }

  /** Sends a request; the answer's payload is a view into what was received. */
  call<Q, A>(kind: number, codec: Codec<Q>, request: Q, answer: Codec<A>, signal: AbortSignal): Promise<A> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined || signal.aborted) {
        // Nothing was sent, whatever happened to others.
        reject(signal.aborted ? signal.reason : new StoreError('unavailable', { cause: this.#failure }));
        return;
      }
      const id = this.#nextId();
      const abort = () => {
        this.#calls.delete(id);
        reject(signal.reason);
      };
      const done = () => signal.removeEventListener('abort', abort);
      this.#calls.set(id, {
        resolve: (payload) => {
          done();
          resolve(answer.read(new ByteReader(payload)));
        },
        reject: (error) => {
          done();
          reject(error);
        },
      });
      signal.addEventListener('abort', abort, { once: true });
      this.#send(kind, id, (writer) => codec.write(writer, request, NO_FACTS));
    });
  }

  /** Opens a watch; returns its number for the calls below. */
  watch(request: WatchRequest, events: WatchEvents): number {
    const id = this.#nextId();
    if (this.#failure !== undefined) {
      events.ended(this.#failure);
      return id;
    }
    this.#watches.set(id, events);
    this.#send(requests.watch, id, (writer) => writer.bytes(encode(watchRequest, request)));
    return id;
  }

  /** The reader has taken a batch: the member may send one more. */
  watchTaken(id: number): void {
    if (this.#watches.has(id)) this.#send(requests.watchTaken, id);
  }

  watchProgress(id: number): void {
    if (this.#watches.has(id)) this.#send(requests.watchProgress, id);
  }

  watchCancel(id: number): void {
    if (!this.#watches.delete(id)) return;
    this.#send(requests.watchCancel, id);
    this.#closeIfIdle();
  }

  /** Ends the connection; what was in flight has an unknown outcome. */
  close(cause: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = new StoreError('connectionLost', { cause, detail: this.endpoint });
    this.#stream.destroy();
    const calls = [...this.#calls.values()];
    const watches = [...this.#watches.values()];
    this.#calls.clear();
    this.#watches.clear();
    for (const call of calls) call.reject(this.#failure);
    for (const watch of watches) watch.ended(this.#failure);
    this.#onClose();
  }

  /** No new requests will come: watches are to be opened elsewhere, and the last answer ends the connection. */
  retire(): void {
    if (this.#retired) return;
    this.#retired = true;
    const moved = new StoreError('connectionLost', { detail: `${this.endpoint} does not lead any more` });
    for (const [id, watch] of [...this.#watches]) {
      this.watchCancel(id);
      watch.ended(moved);
    }
    this.#closeIfIdle();
  }

  #closeIfIdle(): void {
    if (this.#retired && this.#calls.size === 0 && this.#watches.size === 0) this.close(undefined);
  }

  #nextId(): number {
    this.#lastId = this.#lastId >= 0xffff_ffff ? 1 : this.#lastId + 1;
    return this.#lastId;
  }

  #send(kind: number, id: number, write?: (writer: ByteWriter) => void): void {
    if (this.#writer === undefined) {
      this.#writer = new ByteWriter(1024);
      queueMicrotask(() => this.#flush());
    }
    const start = beginFrame(this.#writer, kind, id);
    write?.(this.#writer);
    endFrame(this.#writer, start);
  }

  #flush(): void {
    const writer = this.#writer;
    this.#writer = undefined;
    if (writer !== undefined && this.#failure === undefined) this.#stream.write(writer.finish());
  }

  #frame(kind: number, id: number, payload: Buffer): void {
    const call = this.#calls.get(id);
    const watch = this.#watches.get(id);
    if (kind === answers.ok) {
      this.#calls.delete(id);
      call?.resolve(payload);
    } else if (kind === answers.error) {
      const error = readError(payload);
      this.#calls.delete(id);
      this.#watches.delete(id);
      call?.reject(error);
      watch?.ended(error);
    } else if (kind === answers.watchCreated || kind === answers.watchBatch) {
      const batch = watchBatch.read(new ByteReader(payload));
      if (kind === answers.watchCreated) watch?.created(batch.revision);
      else watch?.batch(batch);
    }
    this.#closeIfIdle();
  }
}

function readError(payload: Buffer): StoreError {
  const { kind, detail, compactRevision } = wireError.read(new ByteReader(payload));
  const details = {
    ...(detail === undefined ? {} : { detail }),
    ...(compactRevision === undefined ? {} : { compactRevision }),
  };
  if (!Object.hasOwn(storeErrors, kind)) return new StoreError('unavailable', { detail: `unknown error "${kind}"` });
  return new StoreError(kind as StoreErrorKind, details);
}
