import { clearPlans, planOf } from './encode-plan.ts';
import { type Message, messageOf } from './messages.ts';
import { type Bag, writeMessage } from './write-message.ts';
import { Writer } from './writer.ts';

/** Every body in upstream's protobuf form begins with these, then comes a runtime.Unknown message. */
export const MAGIC = Buffer.from([0x6b, 0x38, 0x73, 0x00]);

/** One for all: encoding is synchronous and leaves it empty. */
const writer = new Writer();

/**
 * An object's message, without the envelope that names its kind: what stands in lists.
 * @throws EncodeError when a value is not of its field's type
 */
export function encodeMessage(message: Message, value: object): Buffer {
  return taking(() => writeMessage(writer, planOf(message.line), value as Bag));
}

/**
 * An object as a whole body.
 * @throws NotEncodable for a kind without protobuf, EncodeError
 */
export function encodeObject(value: object): Buffer {
  const { apiVersion = '', kind = '' } = value as { apiVersion?: string; kind?: string };
  return encodeBody(encodableMessage(apiVersion, kind), apiVersion, kind, value);
}

/** A value as a whole body of a given kind. @throws EncodeError */
export function encodeBody(message: Message, apiVersion: string, kind: string, value: object): Buffer {
  return taking(() => {
    writer.raw(ENVELOPE_END);
    const before = writer.size;
    writeMessage(writer, planOf(message.line), value as Bag);
    writeEnvelopeStart(writer, apiVersion, kind, writer.size - before);
  });
}

/** A kind that has no protobuf form; the text is upstream's, where `v1.Table` is a Go type. */
export class NotEncodable extends Error {
  override readonly name = 'NotEncodable';
}

/** @throws NotEncodable */
export function encodableMessage(apiVersion: string, kind: string): Message {
  const message = messageOf(apiVersion, kind);
  if (message === undefined) {
    const version = apiVersion.slice(apiVersion.indexOf('/') + 1);
    throw new NotEncodable(
      `object *${version}.${kind} does not implement the protobuf marshalling interface and cannot be encoded to a protobuf message`,
    );
  }
  return message;
}

/** What stands before a message of `length` bytes to make it a body. */
export function envelopeStart(apiVersion: string, kind: string, length: number): Buffer {
  return taking(() => writeEnvelopeStart(writer, apiVersion, kind, length));
}

/** Content encoding and content type, both empty: what stands after the message. */
export const ENVELOPE_END = Buffer.from([0x1a, 0, 0x22, 0]);

/** Tag and length of a list's next item. */
export function itemStart(length: number): Buffer {
  return taking(() => {
    writer.unsigned(length);
    writer.byte(0x12);
  });
}

/** Length of what `itemStart` returns. */
export function itemStartSize(length: number): number {
  let size = 2;
  for (let rest = length; rest >= 0x80; rest = Math.floor(rest / 0x80)) {
    size += 1;
  }
  return size;
}

/** The metadata with which a list's message begins. */
export function listMetadata(metadata: object): Buffer {
  const message = encodableMessage('meta.k8s.io/v1', 'ListMeta');
  return taking(() => {
    writeMessage(writer, planOf(message.line), metadata as Bag);
    writer.unsigned(writer.size);
    writer.byte(0x0a);
  });
}

/** One frame of a watch: its length in four bytes, then a WatchEvent around a whole body. */
export function watchFrame(type: string, body: readonly Uint8Array[]): Buffer {
  return taking(() => {
    for (const part of body.toReversed()) {
      writer.raw(part);
    }
    const raw = writer.size;
    writer.unsigned(raw);
    writer.byte(0x0a);
    writer.unsigned(writer.size);
    writer.byte(0x12);
    writer.string(type);
    writer.byte(0x0a);
    const length = writer.size;
    writer.raw(Uint8Array.of(length >>> 24, length >>> 16, length >>> 8, length));
  });
}

function taking(write: () => void): Buffer {
  try {
    write();
    return writer.take();
  } catch (error) {
    writer.reset();
    clearPlans();
    throw error;
  }
}

function writeEnvelopeStart(to: Writer, apiVersion: string, kind: string, length: number): void {
  to.unsigned(length);
  to.byte(0x12);
  const before = to.size;
  to.string(kind);
  to.byte(0x12);
  to.string(apiVersion);
  to.byte(0x0a);
  to.unsigned(to.size - before);
  to.byte(0x0a);
  to.raw(MAGIC);
}
