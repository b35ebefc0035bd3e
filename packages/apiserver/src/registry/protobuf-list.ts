import type { ListMeta } from '@wherry/api';
import type { Entry } from '../cache/entry.ts';
import type { ApiResponse } from '../http/exchange.ts';
import { mediaTypes } from '../http/negotiate.ts';
import {
  ENVELOPE_END,
  encodableMessage,
  encodeMessage,
  envelopeStart,
  itemStart,
  itemStartSize,
  listMetadata,
} from '../http/protobuf/encode.ts';
import type { StoredRequest } from './context.ts';
import { partialOf } from './partial.ts';
import { servedObject } from './render.ts';

const CHUNK_BYTES = 64 * 1024;
/** Objects encoded in one turn of the event loop: about two milliseconds of work. */
const ENCODED_PER_TURN = 128;

interface ListHead {
  readonly kind: string;
  readonly apiVersion: string;
  readonly metadata: ListMeta;
}

/** Where a list's messages come from. */
interface Messages {
  /** Undefined as long as the message was not made. */
  sizeOf(entry: Entry): number | undefined;
  of(entry: Entry): Buffer;
}

/**
 * A list in protobuf. The whole message's length stands before everything else, so all items are measured first, which
 * makes those that nobody asked for before; then they are sent as the connection drains, and made again where they
 * did not fit into the cache.
 */
export async function protobufList(
  from: StoredRequest,
  entries: readonly Entry[],
  head: ListHead,
): Promise<ApiResponse> {
  const messages = messagesOf(from);
  const metadata = listMetadata(head.metadata);
  let length = metadata.length;
  let made = 0;
  for (const entry of entries) {
    let size = messages.sizeOf(entry);
    if (size === undefined) {
      size = messages.of(entry).length;
      made += 1;
      if (made % ENCODED_PER_TURN === 0) {
        await from.registry.watchCache.turn();
      }
    }
    length += itemStartSize(size) + size;
  }
  const start = Buffer.concat([envelopeStart(head.apiVersion, head.kind, length), metadata]);
  const headers = { 'content-type': mediaTypes.protobuf };
  const all = chunks(start, entries, messages);
  return length <= CHUNK_BYTES
    ? { kind: 'bytes', status: 200, headers, body: Buffer.concat([...all]) }
    : { kind: 'chunks', status: 200, headers, chunks: all, compressible: true };
}

function messagesOf(from: StoredRequest): Messages {
  const { how, kind, registry } = from;
  if (how.form === 'object' && kind.conversion === undefined) {
    return registry.watchCache.protobuf;
  }
  const partial = how.form === 'partial';
  const message = partial
    ? encodableMessage('meta.k8s.io/v1', 'PartialObjectMetadata')
    : encodableMessage(kind.apiVersion, kind.resource.kind);
  return {
    sizeOf: () => undefined,
    of: (entry) => encodeMessage(message, partial ? partialOf(entry.object(), how) : servedObject(kind, entry)),
  };
}

function* chunks(start: Buffer, entries: readonly Entry[], messages: Messages): Generator<Buffer> {
  let parts: Buffer[] = [start];
  let size = start.length;
  for (const entry of entries) {
    const message = messages.of(entry);
    const before = itemStart(message.length);
    parts.push(before, message);
    size += before.length + message.length;
    if (size >= CHUNK_BYTES) {
      yield Buffer.concat(parts);
      parts = [];
      size = 0;
    }
  }
  parts.push(ENVELOPE_END);
  yield Buffer.concat(parts);
}
