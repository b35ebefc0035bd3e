import { notAcceptable } from '@wherry/api';

export type Encoding = 'json' | 'yaml';
export type ObjectForm = 'object' | 'table' | 'partial';

/** How the client wants its answer. */
export interface Representation {
  readonly encoding: Encoding;
  readonly form: ObjectForm;
  readonly pretty: boolean;
}

interface MediaRange {
  readonly type: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly quality: number;
}

const ACCEPT_CACHE_MAX = 256;
const parsed = new Map<string, readonly MediaRange[]>();

const encodings: Readonly<Record<string, Encoding>> = {
  'application/json': 'json',
  'application/yaml': 'yaml',
  'application/*': 'json',
  '*/*': 'json',
};

export const plainJson: Representation = { encoding: 'json', form: 'object', pretty: false };

/** @throws StatusError NotAcceptable when nothing the client takes can be made */
export function negotiate(accept: string | undefined, pretty: boolean, forms: readonly ObjectForm[]): Representation {
  if (accept === undefined || accept === '') {
    return { encoding: 'json', form: 'object', pretty };
  }
  for (const range of ranges(accept)) {
    const encoding = encodings[range.type];
    const form = formOf(range);
    if (encoding !== undefined && form !== undefined && forms.includes(form)) {
      return { encoding, form, pretty };
    }
  }
  throw notAcceptable('only the following media types are accepted: application/json, application/yaml');
}

/** Undefined: a form that is not ours, so this range cannot be served. */
function formOf({ parameters }: MediaRange): ObjectForm | undefined {
  const as = parameters['as'];
  if (as === undefined) {
    return 'object';
  }
  if (parameters['g'] !== 'meta.k8s.io' || (parameters['v'] !== 'v1' && parameters['v'] !== 'v1beta1')) {
    return undefined;
  }
  if (as === 'Table') {
    return 'table';
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
      .toSorted((left, right) => right.quality - left.quality);
    if (parsed.size >= ACCEPT_CACHE_MAX) {
      parsed.clear();
    }
    parsed.set(accept, result);
  }
  return result;
}

function parseRange(text: string): MediaRange {
  const [type = '', ...rest] = text.split(';').map((part) => part.trim());
  const parameters: Record<string, string> = {};
  for (const part of rest) {
    const [name = '', value = ''] = part.split('=');
    parameters[name.trim()] = value.trim().replace(/^"|"$/g, '');
  }
  const quality = parameters['q'] === undefined ? 1 : Number(parameters['q']);
  return { type: type.toLowerCase(), parameters, quality: Number.isNaN(quality) ? 1 : quality };
}
