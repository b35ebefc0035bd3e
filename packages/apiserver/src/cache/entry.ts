import type { ApiObject } from '@wherry/api';
import type { Kept } from './protobuf-messages.ts';

/** What selectors look at, taken from an object once, when its revision arrives. */
export interface Attributes {
  readonly labels: Readonly<Record<string, string>>;
  readonly fields: Readonly<Record<string, string>>;
}

/** One revision of one object: the bytes that every client gets, and what selectors need. Never changes. */
export class Entry {
  readonly key: string;
  readonly namespace: string;
  readonly name: string;
  readonly revision: number;
  readonly bytes: Buffer;
  readonly attributes: Attributes;
  /** Its message in protobuf; see ProtobufMessages, which alone writes here. */
  protobuf: Kept | undefined;
  #object: WeakRef<ApiObject>;

  constructor(
    identity: { readonly key: string; readonly namespace: string; readonly name: string },
    revision: number,
    bytes: Buffer,
    object: ApiObject,
    attributes: Attributes,
  ) {
    this.key = identity.key;
    this.namespace = identity.namespace;
    this.name = identity.name;
    this.revision = revision;
    this.bytes = bytes;
    this.attributes = attributes;
    this.protobuf = undefined;
    this.#object = new WeakRef(object);
  }

  /** The decoded object; shared, never to be mutated. Decoded again if memory was short. */
  object(): ApiObject {
    let object = this.#object.deref();
    if (object === undefined) {
      object = JSON.parse(this.bytes.toString()) as ApiObject;
      this.#object = new WeakRef(object);
    }
    return object;
  }
}
