import type { Clock, Logger, Timer } from '@wherry/daemon';
import { ByteWriter, MalformedBytes } from '../schema/bytes.ts';
import { REQUEST_FRAME_BYTES_MAX } from '../schema/limits.ts';
import { encodeHeaders, type Field } from './http2/hpack.ts';
import type { Stream } from './http2/stream.ts';
import { MessageReader, PREFIX_BYTES, RefusedMessage } from './messages.ts';
import { encodeMessage, type GrpcStatus, grpcCodes, OK, parseTimeout } from './status.ts';

const RESPONSE_FIELDS: readonly Field[] = [
  [':status', '200'],
  ['content-type', 'application/grpc'],
];
const RESPONSE = encodeHeaders(RESPONSE_FIELDS);
const OK_TRAILERS = encodeHeaders([['grpc-status', '0']]);
/** Longer timers would fire at once. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/** What a method does with one call. */
export interface CallHandler {
  /** A whole message. @throws MalformedBytes: the call is refused */
  message(bytes: Buffer): void;
  /** The client has sent all it will. */
  halfClosed?(): void;
  /** What had to wait could be sent. */
  drained?(): void;
  /** The call is over, whoever ended it: nothing can be sent any more. */
  closed?(): void;
}

/** One gRPC call on an HTTP/2 stream: messages both ways, a deadline, and a status at the end. */
export class GrpcCall {
  readonly #stream: Stream;
  readonly #logger: Logger;
  readonly #onSent: () => void;
  #handler: CallHandler | undefined;
  #deadline: Timer | undefined;
  /** Messages of this turn of the event loop, for one write. */
  #writer: ByteWriter | undefined;
  #state: 'new' | 'responding' | 'finished' = 'new';

  /** @param onSent something went to the client */
  constructor(stream: Stream, logger: Logger, onSent: () => void) {
    this.#stream = stream;
    this.#logger = logger;
    this.#onSent = onSent;
  }

  /** False once the call is finished or lost. */
  get open(): boolean {
    return this.#state !== 'finished';
  }

  /** The client does not want to be served by a member that has no leader (clientv3.WithRequireLeader). */
  get requiresLeader(): boolean {
    return this.#stream.headers.get('hasleader') === 'true';
  }

  /** Bytes the client has not taken yet. */
  get waitingBytes(): number {
    return this.#stream.waitingBytes + (this.#writer?.length ?? 0);
  }

  /** Gives the call to its method. */
  serve(handler: CallHandler, clock: Clock): void {
    this.#handler = handler;
    const reader = new MessageReader(REQUEST_FRAME_BYTES_MAX);
    const take = (message: Buffer) => {
      if (this.open) handler.message(message);
    };
    this.#stream.events = {
      data: (chunk) => {
        if (!this.open) return 0;
        try {
          reader.push(chunk, take);
        } catch (error) {
          this.#refuse(error);
        }
        return reader.heldBytes;
      },
      ended: () => {
        if (!this.open) return;
        if (reader.heldBytes === 0) handler.halfClosed?.();
        else this.finish({ code: grpcCodes.internal, message: 'the call ended inside a message' });
      },
      drained: () => this.open && handler.drained?.(),
      closed: () => this.#end(),
    };
    this.#armDeadline(clock);
  }

  /**
   * Sends a message of a stream; messages of one turn of the event loop leave together.
   * @param sizeBytes about how large it will be
   */
  send(write: (writer: ByteWriter) => void, sizeBytes = 1024): void {
    if (!this.open) return;
    if (this.#writer === undefined) {
      this.#writer = new ByteWriter(sizeBytes);
      queueMicrotask(() => this.#flush());
    }
    writeMessage(this.#writer, write);
  }

  /** The one message of an answer, and its good end. */
  reply(write: (writer: ByteWriter) => void): void {
    if (!this.open) return;
    const writer = new ByteWriter(128);
    writeMessage(writer, write);
    this.#respond();
    this.#end();
    this.#stream.sendData(writer.finish());
    this.#stream.sendTrailers(OK_TRAILERS);
  }

  finish(status: GrpcStatus): void {
    if (!this.open) return;
    this.#flush();
    const fresh = this.#state === 'new';
    this.#end();
    this.#onSent();
    if (fresh) this.#stream.sendHeaders(encodeHeaders([...RESPONSE_FIELDS, ...fieldsOf(status)]), true);
    else this.#stream.sendTrailers(status === OK ? OK_TRAILERS : encodeHeaders(fieldsOf(status)));
  }

  #respond(): void {
    this.#onSent();
    if (this.#state !== 'new') return;
    this.#state = 'responding';
    this.#stream.sendHeaders(RESPONSE, false);
  }

  #flush(): void {
    const writer = this.#writer;
    this.#writer = undefined;
    if (writer === undefined || !this.open) return;
    this.#respond();
    this.#stream.sendData(writer.finish());
  }

  #end(): void {
    if (this.#state === 'finished') return;
    this.#state = 'finished';
    this.#deadline?.cancel();
    this.#handler?.closed?.();
  }

  #armDeadline(clock: Clock): void {
    const header = this.#stream.headers.get('grpc-timeout');
    if (header === undefined) return;
    const timeoutMs = parseTimeout(header);
    if (timeoutMs === undefined) {
      this.finish({ code: grpcCodes.internal, message: `malformed grpc-timeout: ${header}` });
      return;
    }
    this.#deadline = clock.setTimer(Math.min(timeoutMs, TIMER_MS_MAX), () =>
      this.finish({ code: grpcCodes.deadlineExceeded, message: 'context deadline exceeded' }),
    );
  }

  #refuse(error: unknown): void {
    if (error instanceof RefusedMessage) {
      const code = error.why === 'tooLarge' ? grpcCodes.resourceExhausted : grpcCodes.unimplemented;
      this.finish({ code, message: error.message });
    } else if (error instanceof MalformedBytes) {
      this.#logger.debug({ err: error }, 'message refused');
      this.finish({ code: grpcCodes.internal, message: `grpc: error unmarshalling request: ${error.message}` });
    } else throw error;
  }
}

function writeMessage(writer: ByteWriter, write: (writer: ByteWriter) => void): void {
  const start = writer.length;
  writer.u8(0);
  writer.u32(0);
  write(writer);
  writer.u32At(start + 1, writer.length - start - PREFIX_BYTES);
}

function fieldsOf({ code, message }: GrpcStatus): readonly Field[] {
  const status: Field = ['grpc-status', String(code)];
  return message === '' ? [status] : [status, ['grpc-message', encodeMessage(message)]];
}
