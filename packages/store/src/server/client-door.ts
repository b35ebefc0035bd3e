import type { Duplex } from 'node:stream';
import type { Clock, Logger } from '@wherry/daemon';
import { isRefusal, type Refusal } from '../mvcc/refusal.ts';
import { checkKey } from '../mvcc/validate.ts';
import type { Command, CommandResponse } from '../replica/command.ts';
import type { Replica } from '../replica/replica.ts';
import type { Answer } from '../replica/waiters.ts';
import { ByteReader, MalformedBytes } from '../schema/bytes.ts';
import type { Codec, HeaderFacts } from '../schema/codec.ts';
import type { StoreErrorKind } from '../schema/errors.ts';
import { answers, type OnFrame, requests } from '../schema/frames.ts';
import {
  compactRequest,
  compactResponse,
  deleteRangeRequest,
  deleteRangeResponse,
  putRequest,
  putResponse,
  rangeRequest,
  rangeResponse,
  txnRequest,
  txnResponse,
} from '../schema/kv-codecs.ts';
import {
  CONNECTION_OUT_BYTES_MAX,
  CONNECTION_REQUESTS_MAX,
  CONNECTION_WATCHES_MAX,
  REQUEST_BYTES_MAX,
  REQUEST_FRAME_BYTES_MAX,
} from '../schema/limits.ts';
import type { CompactResponse, DeleteRangeResponse, PutResponse, TxnResponse } from '../schema/messages.ts';
import {
  leaderRequest,
  leaseGrantRequest,
  leaseGrantResponse,
  leaseIdRequest,
  leaseKeepAliveResponse,
  leaseRevokeResponse,
  leaseTimeToLiveRequest,
  leaseTimeToLiveResponse,
  statusResponse,
  watchBatch,
  watchRequest,
  wireError,
} from '../schema/other-codecs.ts';
import { feedFrames } from './feed.ts';
import { OutBuffer } from './out-buffer.ts';
import type { Requests } from './requests.ts';
import { WatchStream } from './watch-stream.ts';

export interface DoorParts {
  readonly replica: Replica;
  readonly requests: Requests;
  readonly clock: Clock;
  readonly logger: Logger;
  /** For the metrics: a request came in. */
  readonly onRequest: (kind: number) => void;
}

/**
 * One client connection. Requests are answered as they finish, in any order; watches share the connection and give
 * way when it is full.
 */
export class ClientDoor {
  readonly #parts: DoorParts;
  readonly #stream: Duplex;
  readonly #out: OutBuffer;
  readonly #watches = new Map<number, WatchStream>();
  #inFlight = 0;
  #closed = false;

  constructor(stream: Duplex, parts: DoorParts) {
    this.#parts = parts;
    this.#stream = stream;
    this.#out = new OutBuffer(stream);
    const onFrame: OnFrame = (kind, id, payload) => this.#frame(kind, id, payload);
    feedFrames(stream, REQUEST_FRAME_BYTES_MAX, parts.logger, onFrame, () => {
      // A client that sends but does not read has to wait.
      if (this.#out.waitingBytes > CONNECTION_OUT_BYTES_MAX) stream.pause();
    });
    stream.on('drain', () => this.#drained());
    stream.on('error', (error) => parts.logger.debug({ err: error }, 'client connection failed'));
    stream.on('close', () => this.#close());
  }

  /** Ends all watches; their reader is told why and opens them elsewhere. */
  endWatches(refused: StoreErrorKind): void {
    for (const [id, watch] of this.#watches) {
      watch.close();
      this.#refuse(id, { refused });
    }
    this.#watches.clear();
  }

  #drained(): void {
    this.#stream.resume();
    for (const watch of this.#watches.values()) watch.pump();
  }

  #close(): void {
    this.#closed = true;
    for (const watch of this.#watches.values()) watch.close();
    this.#watches.clear();
  }

  #frame(kind: number, id: number, payload: Buffer): void {
    if (this.#closed) return;
    this.#parts.onRequest(kind);
    try {
      if (kind >= requests.watch && kind <= requests.watchTaken) this.#watchFrame(kind, id, payload);
      else if (payload.length > REQUEST_BYTES_MAX) this.#refuse(id, { refused: 'requestTooLarge' });
      else if (this.#inFlight >= CONNECTION_REQUESTS_MAX) this.#refuse(id, { refused: 'tooManyRequests' });
      else this.#request(kind, id, payload);
    } catch (error) {
      if (!(error instanceof MalformedBytes)) throw error;
      this.#refuse(id, { refused: 'invalidArgument', detail: error.message });
    }
  }

  #request(kind: number, id: number, payload: Buffer): void {
    const reader = new ByteReader(payload);
    const all = this.#parts.requests;
    switch (kind) {
      case requests.range:
        all.range(rangeRequest.read(reader), this.#answerWith(id, rangeResponse));
        return;
      case requests.put:
        this.#command(id, { kind: 'put', request: putRequest.read(reader) }, payload, putResponse);
        return;
      case requests.deleteRange:
        this.#command(
          id,
          { kind: 'deleteRange', request: deleteRangeRequest.read(reader) },
          payload,
          deleteRangeResponse,
        );
        return;
      case requests.txn:
        this.#command(id, { kind: 'txn', request: txnRequest.read(reader) }, payload, txnResponse);
        return;
      case requests.compact:
        this.#command(id, { kind: 'compact', request: compactRequest.read(reader) }, payload, compactResponse);
        return;
      case requests.leaseGrant:
        all.leaseGrant(
          leaseGrantRequest.read(reader),
          this.#answerWith(id, leaseGrantResponse) as Answer<CommandResponse>,
        );
        return;
      case requests.leaseRevoke:
        this.#command(id, { kind: 'leaseRevoke', request: leaseIdRequest.read(reader) }, payload, leaseRevokeResponse);
        return;
      case requests.leaseKeepAlive:
        all.leaseKeepAlive(leaseIdRequest.read(reader).id, this.#answerWith(id, leaseKeepAliveResponse));
        return;
      case requests.leaseTimeToLive: {
        const request = leaseTimeToLiveRequest.read(reader);
        all.leaseTimeToLive(request.id, request.keys === true, this.#answerWith(id, leaseTimeToLiveResponse));
        return;
      }
      case requests.leader:
        all.leaderOtherThan(leaderRequest.read(reader).not, this.#answerWith(id, statusResponse));
        return;
      case requests.status:
        this.#answerWith(id, statusResponse)(all.status());
        return;
      default:
        this.#refuse(id, { refused: 'invalidArgument', detail: `unknown request ${kind}` });
    }
  }

  /** The command's kind and its response's codec belong together; the compiler cannot see through the log. */
  #command(
    id: number,
    command: Command,
    encoded: Buffer,
    codec: Codec<PutResponse> | Codec<DeleteRangeResponse> | Codec<TxnResponse> | Codec<CompactResponse>,
  ): void {
    this.#parts.requests.command(command, encoded, this.#answerWith(id, codec as Codec<CommandResponse>));
  }

  #answerWith<T extends object>(id: number, codec: Codec<T>): Answer<T> {
    this.#inFlight++;
    return (outcome) => {
      this.#inFlight--;
      if (this.#closed) return;
      if (isRefusal(outcome)) this.#refuse(id, outcome);
      else this.#out.frame(answers.ok, id, (writer) => codec.write(writer, outcome, this.#facts()));
    };
  }

  #refuse(id: number, refusal: Refusal): void {
    const { refused: kind, detail, compactRevision } = refusal;
    const error = {
      kind,
      ...(detail === undefined ? {} : { detail }),
      ...(compactRevision === undefined ? {} : { compactRevision }),
    };
    this.#out.frame(answers.error, id, (writer) => wireError.write(writer, error, this.#facts()));
  }

  #watchFrame(kind: number, id: number, payload: Buffer): void {
    const watch = this.#watches.get(id);
    switch (kind) {
      case requests.watch:
        this.#createWatch(id, payload);
        return;
      case requests.watchCancel:
        watch?.close();
        this.#watches.delete(id);
        return;
      case requests.watchProgress:
        watch?.askProgress();
        return;
      case requests.watchTaken:
        watch?.taken();
        return;
      default:
        this.#refuse(id, { refused: 'invalidArgument', detail: `unknown request ${kind}` });
    }
  }

  #createWatch(id: number, payload: Buffer): void {
    const request = watchRequest.read(new ByteReader(payload));
    const refusal = checkKey(request);
    if (refusal !== undefined) this.#refuse(id, refusal);
    else if (this.#watches.has(id)) this.#refuse(id, { refused: 'invalidArgument', detail: `watch ${id} exists` });
    else if (this.#watches.size >= CONNECTION_WATCHES_MAX) this.#refuse(id, { refused: 'tooManyRequests' });
    else {
      const { replica, clock } = this.#parts;
      const watch = new WatchStream(replica, clock, request, {
        batch: (batch) =>
          this.#out.frame(answers.watchBatch, id, (writer) => watchBatch.write(writer, batch, this.#facts())),
        refused: (reason) => {
          this.#watches.delete(id);
          this.#refuse(id, reason);
        },
        mayBatch: () => this.#out.waitingBytes <= CONNECTION_OUT_BYTES_MAX,
      });
      this.#watches.set(id, watch);
      const created = { revision: watch.created, events: [], progress: false };
      this.#out.frame(answers.watchCreated, id, (writer) => watchBatch.write(writer, created, this.#facts()));
    }
  }

  #facts(): HeaderFacts {
    const { options, raft } = this.#parts.replica;
    return { clusterId: options.clusterId, memberId: options.memberId, term: raft.term };
  }
}
