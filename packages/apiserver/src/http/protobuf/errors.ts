/** Bytes that are no protobuf message. */
export class ProtobufError extends Error {
  override readonly name = 'ProtobufError';
  /** The kind that the body names, as far as it could be read. */
  readonly named: { readonly apiVersion: string; readonly kind: string } | undefined;

  constructor(message: string, options?: ErrorOptions & { readonly named?: ProtobufError['named'] }) {
    super(message, options);
    this.named = options?.named;
  }
}

/** A value that does not fit the message it belongs to: the stored object is damaged. */
export class EncodeError extends Error {
  override readonly name = 'EncodeError';
}
