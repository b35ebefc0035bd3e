// The OpenAPI v2 document in the protobuf form of the openapi.v2 package: the only one that kubectl's client-side
// validation reads. Field numbers are facts of that format; JSON keys without an entry are not part of it.

type Json = unknown;
type JsonObject = Readonly<Record<string, Json>>;
/** How a value is written into its field. */
type Form =
  | { readonly kind: 'text' | 'flag' | 'any' }
  | { readonly kind: 'message'; readonly of: () => Shape }
  /** A message whose only content is (name, value) pairs. */
  | { readonly kind: 'named'; readonly of: () => Shape }
  | { readonly kind: 'custom'; readonly encode: (value: Json) => Buffer };
interface Field {
  readonly number: number;
  readonly form: Form;
  readonly repeated?: true;
}
interface Shape {
  readonly fields: Readonly<Record<string, Field>>;
  /** Field for keys that begin with `x-`. */
  readonly extensions?: number;
}

const LENGTH_DELIMITED = 2;
const VARINT = 0;

const text = (number: number): Field => ({ number, form: { kind: 'text' } });
const texts = (number: number): Field => ({ number, form: { kind: 'text' }, repeated: true });
const flag = (number: number): Field => ({ number, form: { kind: 'flag' } });
const any = (number: number): Field => ({ number, form: { kind: 'any' } });
const message = (number: number, of: () => Shape): Field => ({ number, form: { kind: 'message', of } });
const messages = (number: number, of: () => Shape): Field => ({
  number,
  form: { kind: 'message', of },
  repeated: true,
});
const named = (number: number, of: () => Shape): Field => ({ number, form: { kind: 'named', of } });
const custom = (number: number, encode: (value: Json) => Buffer): Field => ({
  number,
  form: { kind: 'custom', encode },
});

const schema: Shape = {
  fields: {
    $ref: text(1),
    format: text(2),
    title: text(3),
    description: text(4),
    default: any(5),
    required: texts(19),
    enum: { number: 20, form: { kind: 'any' }, repeated: true },
    additionalProperties: custom(21, (value) => bytesField(1, encodeMessage(value, schema))),
    type: custom(22, (value) => Buffer.concat([value].flat().map((type) => textField(1, String(type))))),
    items: custom(23, (value) => bytesField(1, encodeMessage(value, schema))),
    allOf: messages(24, () => schema),
    properties: named(25, () => schema),
  },
  extensions: 31,
};

const bodyParameter: Shape = {
  fields: {
    description: text(1),
    name: text(2),
    in: text(3),
    required: flag(4),
    schema: message(5, () => schema),
  },
  extensions: 6,
};
const queryParameter: Shape = {
  fields: { required: flag(1), in: text(2), description: text(3), name: text(4), type: text(6), uniqueItems: flag(20) },
  extensions: 23,
};
const pathParameter: Shape = {
  fields: { required: flag(1), in: text(2), description: text(3), name: text(4), type: text(5), uniqueItems: flag(19) },
  extensions: 22,
};

const response: Shape = {
  fields: {
    description: text(1),
    schema: custom(2, (value) => bytesField(1, encodeMessage(value, schema))),
  },
  extensions: 5,
};
const responseValue: Shape = { fields: { response: message(1, () => response) } };

const operation: Shape = {
  fields: {
    tags: texts(1),
    description: text(3),
    operationId: text(5),
    produces: texts(6),
    consumes: texts(7),
    parameters: { number: 8, form: { kind: 'custom', encode: encodeParameter }, repeated: true },
    responses: custom(9, encodeResponses),
    schemes: texts(10),
    deprecated: flag(11),
  },
  extensions: 13,
};
const pathItem: Shape = {
  fields: {
    get: message(2, () => operation),
    put: message(3, () => operation),
    post: message(4, () => operation),
    delete: message(5, () => operation),
    options: message(6, () => operation),
    head: message(7, () => operation),
    patch: message(8, () => operation),
    parameters: { number: 9, form: { kind: 'custom', encode: encodeParameter }, repeated: true },
  },
  extensions: 10,
};
const info: Shape = { fields: { title: text(1), version: text(2), description: text(3) } };
const document: Shape = {
  fields: {
    swagger: text(1),
    info: message(2, () => info),
    paths: custom(8, (value) => encodeNamed(value, pathItem, 2)),
    definitions: named(9, () => schema),
  },
  extensions: 16,
};

/** @param value the JSON form, as `openApiV2Document` makes it; security definitions are not carried over */
export function openApiV2Protobuf(value: Json): Buffer {
  return encodeMessage(value, document);
}

function encodeMessage(value: Json, shape: Shape): Buffer {
  const parts: Buffer[] = [];
  for (const [key, item] of Object.entries(value as JsonObject)) {
    const field = shape.fields[key];
    if (field !== undefined) {
      for (const one of field.repeated === true ? (item as readonly Json[]) : [item])
        parts.push(encodeField(field, one));
    } else if (key.startsWith('x-') && shape.extensions !== undefined) {
      parts.push(bytesField(shape.extensions, encodePair(key, encodeAny(item))));
    }
  }
  return Buffer.concat(parts);
}

function encodeField({ number, form }: Field, value: Json): Buffer {
  switch (form.kind) {
    case 'text':
      return textField(number, String(value));
    case 'flag':
      return value === true ? Buffer.concat([tag(number, VARINT), varint(1)]) : Buffer.alloc(0);
    case 'any':
      return bytesField(number, encodeAny(value));
    case 'message':
      return bytesField(number, encodeMessage(value, form.of()));
    case 'named':
      return bytesField(number, encodeNamed(value, form.of(), 1));
    case 'custom':
      return bytesField(number, form.encode(value));
  }
}

/** A map as a repeated field of (name, value) pairs. */
function encodeNamed(map: Json, shape: Shape, number: number): Buffer {
  const pairs = Object.entries(map as JsonObject);
  return Buffer.concat(pairs.map(([name, value]) => bytesField(number, encodePair(name, encodeMessage(value, shape)))));
}

function encodePair(name: string, value: Buffer): Buffer {
  return Buffer.concat([textField(1, name), bytesField(2, value)]);
}

/** Any JSON, as YAML text: every JSON text is one. */
function encodeAny(value: Json): Buffer {
  return textField(2, JSON.stringify(value));
}

function encodeParameter(value: Json): Buffer {
  const place = (value as JsonObject)['in'];
  if (place === 'body') return bytesField(1, bytesField(1, encodeMessage(value, bodyParameter)));
  const [number, shape] = place === 'path' ? ([4, pathParameter] as const) : ([3, queryParameter] as const);
  return bytesField(1, bytesField(2, bytesField(number, encodeMessage(value, shape))));
}

function encodeResponses(value: Json): Buffer {
  const wrapped = Object.entries(value as JsonObject).map(([code, answer]) => [code, { response: answer }] as const);
  return encodeNamed(Object.fromEntries(wrapped), responseValue, 1);
}

function textField(number: number, value: string): Buffer {
  return bytesField(number, Buffer.from(value));
}

function bytesField(number: number, bytes: Buffer): Buffer {
  return Buffer.concat([tag(number, LENGTH_DELIMITED), varint(bytes.length), bytes]);
}

function tag(number: number, wireType: number): Buffer {
  return varint(number * 8 + wireType);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  bytes.push(rest);
  return Buffer.from(bytes);
}
