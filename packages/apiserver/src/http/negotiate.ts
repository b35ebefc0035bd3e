import { notAcceptable } from '@wherry/api';

export type Encoding = 'json' | 'yaml' | 'protobuf';
export type ObjectForm = 'object' | 'table' | 'partial';

/** How the client wants its answer. */
export interface Representation {
  readonly encoding: Encoding;
  readonly form: ObjectForm;
  /** Version of `meta.k8s.io` in which Tables and PartialObjectMetadata are written. */
  readonly metaVersion: 'v1' | 'v1beta1';
  /** Whether the plural of PartialObjectMetadata was asked for. */
  readonly partialList: boolean;
  readonly pretty: boolean;
}

interface MediaRange {
  readonly type: string;
  readonly parameters: Readonly<Partial<Record<'as' | 'g' | 'v' | 'stream' | 'pretty' | 'q', string>>>;
  readonly quality: number;
}

const ACCEPT_CACHE_MAX = 256;
const parsed = new Map<string, readonly MediaRange[]>();

export const mediaTypes: Readonly<Record<Encoding, string>> = {
  json: 'application/json',
  yaml: 'application/yaml',
  protobuf: 'application/vnd.kubernetes.protobuf',
};

/** In the order in which a wildcard is served. */
const allEncodings: readonly Encoding[] = ['json', 'yaml', 'protobuf'];
/** In what watches can be written. */
const streamEncodings: readonly Encoding[] = ['json', 'protobuf'];

export const plainJson: Representation = {
  encoding: 'json',
  form: 'object',
  metaVersion: 'v1',
  partialList: false,
  pretty: false,
};

/**
 * The first media range of the client's that can be made (upstream's NegotiateMediaTypeOptions).
 * @throws StatusError NotAcceptable when nothing the client takes can be made
 */
export function negotiate(
  accept: string | undefined,
  pretty: boolean,
  forms: readonly ObjectForm[],
  encodings: readonly Encoding[] = allEncodings,
): Representation {
  if (accept === undefined || accept === '') {
    return pretty ? { ...plainJson, pretty } : plainJson;
  }
  for (const range of ranges(accept)) {
    for (const encoding of encodings) {
      const made = matches(range.type, encoding) ? representation(range, encoding, forms, pretty) : undefined;
      if (made !== undefined) {
        return made;
      }
    }
  }
  throw notAcceptable(acceptedText(encodings.map((encoding) => mediaTypes[encoding])));
}

/** The same for a watch. @throws StatusError NotAcceptable */
export function negotiateStream(
  accept: string | undefined,
  forms: readonly ObjectForm[],
  encodings: readonly Encoding[] = allEncodings,
): Representation {
  const how = negotiate(accept, false, forms, encodings);
  const streams = streamEncodings.filter((encoding) => encodings.includes(encoding));
  if (!streams.includes(how.encoding)) {
    throw notAcceptable(acceptedText(streams.map((encoding) => `${mediaTypes[encoding]};stream=watch`)));
  }
  return how;
}

function acceptedText(types: readonly string[]): string {
  return `only the following media types are accepted: ${types.join(', ')}`;
}

function matches(type: string, encoding: Encoding): boolean {
  return type === mediaTypes[encoding] || type === 'application/*' || type === '*/*';
}

/** Undefined: the range asks for something that cannot be made in this encoding. */
function representation(
  { parameters }: MediaRange,
  encoding: Encoding,
  forms: readonly ObjectForm[],
  pretty: boolean,
): Representation | undefined {
  const { as, g, v, stream } = parameters;
  if ((stream ?? '') !== '' && (stream !== 'watch' || !streamEncodings.includes(encoding))) {
    return undefined;
  }
  const isPretty = pretty || parameters.pretty === '1';
  if (as === undefined && g === undefined && v === undefined) {
    return isPretty || encoding !== 'json' ? { ...plainJson, encoding, pretty: isPretty } : plainJson;
  }
  const form = formOf(as, encoding);
  if (form === undefined || !forms.includes(form) || g !== 'meta.k8s.io' || (v !== 'v1' && v !== 'v1beta1')) {
    return undefined;
  }
  return { encoding, form, metaVersion: v, partialList: as === 'PartialObjectMetadataList', pretty: isPretty };
}

/** A Table has no protobuf form. */
function formOf(as: string | undefined, encoding: Encoding): ObjectForm | undefined {
  if (as === 'Table') {
    return encoding === 'protobuf' ? undefined : 'table';
  }
  return as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList' ? 'partial' : undefined;
}

/** Media ranges in order of preference. */
export function ranges(accept: string): readonly MediaRange[] {
  let result = parsed.get(accept);
  if (result === undefined) {
    result = accept
      .split(',')
      .map(parseRange)
      .filter((range) => range.quality > 0)
      .toSorted((left, right) => right.quality - left.quality || wildcards(left.type) - wildcards(right.type));
    if (parsed.size >= ACCEPT_CACHE_MAX) {
      parsed.clear();
    }
    parsed.set(accept, result);
  }
  return result;
}

/** What is named comes before what is merely allowed. */
function wildcards(type: string): number {
  return type === '*/*' ? 2 : type.endsWith('/*') ? 1 : 0;
}

function parseRange(text: string): MediaRange {
  const [type = '', ...rest] = text.split(';').map((part) => part.trim());
  const parameters: Record<string, string> = {};
  for (const part of rest) {
    const [name = '', value = ''] = part.split('=');
    parameters[name.trim().toLowerCase()] = value.trim().replace(/^"|"$/g, '');
  }
  const quality = parameters['q'] === undefined ? 1 : Number(parameters['q']);
  return { type: type.toLowerCase(), parameters, quality: Number.isNaN(quality) ? 1 : quality };
}
