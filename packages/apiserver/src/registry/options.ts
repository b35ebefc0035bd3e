import {
  badRequest,
  type FieldError,
  type FieldRequirement,
  type FieldValidation,
  forbiddenField,
  invalid,
  invalidValue,
  type LabelFilter,
  notSupported,
  parseFieldSelector,
  parseLabelSelector,
  required,
} from '@wherry/api';
import { isTrue } from '../http/request-info.ts';

export interface ListOptions {
  readonly labels: LabelFilter | undefined;
  readonly fields: readonly FieldRequirement[];
  /** Undefined when not given: the most recent. */
  readonly resourceVersion: number | undefined;
  readonly match: '' | 'Exact' | 'NotOlderThan';
  /** 0: no limit. */
  readonly limit: number;
  readonly continueToken: string;
  readonly timeoutSeconds: number | undefined;
  readonly allowWatchBookmarks: boolean;
  readonly sendInitialEvents: boolean | undefined;
}

const listOptionsKind = { group: 'meta.k8s.io', kind: 'ListOptions' };

/** @throws StatusError BadRequest, Invalid */
export function parseListOptions(query: URLSearchParams, watch: boolean): ListOptions {
  const labelText = query.get('labelSelector') ?? '';
  const fieldText = query.get('fieldSelector') ?? '';
  const match = query.get('resourceVersionMatch') ?? '';
  const sendInitial = query.get('sendInitialEvents');
  const options: ListOptions = {
    labels: labelText === '' ? undefined : parsing(() => parseLabelSelector(labelText)),
    fields: fieldText === '' ? [] : parsing(() => parseFieldSelector(fieldText)),
    resourceVersion: parseResourceVersion(query.get('resourceVersion') ?? ''),
    match: match === 'Exact' || match === 'NotOlderThan' ? match : '',
    limit: parseNumber(query, 'limit') ?? 0,
    continueToken: query.get('continue') ?? '',
    timeoutSeconds: parseNumber(query, 'timeoutSeconds'),
    allowWatchBookmarks: isTrue(query.get('allowWatchBookmarks')),
    sendInitialEvents: sendInitial === null || sendInitial === '' ? undefined : isTrue(sendInitial),
  };
  const errors = watch ? watchErrors(options, match) : listErrors(options, match, query.get('resourceVersion') ?? '');
  if (errors.length > 0) {
    throw invalid(listOptionsKind, '', errors);
  }
  return options;
}

function parsing<T>(parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    throw badRequest((cause as Error).message, { cause });
  }
}

export function parseResourceVersion(text: string): number | undefined {
  if (text === '') {
    return undefined;
  }
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) {
    throw badRequest(
      `Invalid value: ${JSON.stringify(text)}: strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`,
    );
  }
  return value;
}

function parseNumber(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null || text === '') {
    return undefined;
  }
  const value = Number(text);
  if (!/^-?\d+$/.test(text) || !Number.isSafeInteger(value)) {
    throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  }
  return Math.max(0, value);
}

function listErrors(options: ListOptions, match: string, resourceVersion: string): readonly FieldError[] {
  if (options.sendInitialEvents !== undefined) {
    return [forbiddenField('sendInitialEvents', 'sendInitialEvents is forbidden for list')];
  }
  if (match === '') {
    return [];
  }
  if (resourceVersion === '') {
    return [
      forbiddenField('resourceVersionMatch', 'resourceVersionMatch is forbidden unless resourceVersion is provided'),
    ];
  }
  if (options.continueToken !== '') {
    return [forbiddenField('resourceVersionMatch', 'resourceVersionMatch is forbidden when continue is provided')];
  }
  if (options.match === '') {
    return [notSupported('resourceVersionMatch', match, ['Exact', 'NotOlderThan', ''])];
  }
  if (options.match === 'Exact' && resourceVersion === '0') {
    return [
      forbiddenField('resourceVersionMatch', 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'),
    ];
  }
  return [];
}

function watchErrors(options: ListOptions, match: string): readonly FieldError[] {
  if (options.sendInitialEvents === undefined) {
    return match === ''
      ? []
      : [
          forbiddenField(
            'resourceVersionMatch',
            'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided',
          ),
        ];
  }
  const errors: FieldError[] = [];
  if (match === '') {
    errors.push(required('resourceVersionMatch', 'resourceVersionMatch must be set when sendInitialEvents is set'));
  } else if (options.match !== 'NotOlderThan') {
    errors.push(notSupported('resourceVersionMatch', match, ['NotOlderThan']));
  }
  if (options.sendInitialEvents && !options.allowWatchBookmarks) {
    errors.push(
      invalidValue('allowWatchBookmarks', false, 'sendInitialEvents requires setting allowWatchBookmarks to true'),
    );
  }
  return errors;
}

/** Options that all writes share. */
export interface WriteOptions {
  readonly dryRun: boolean;
  readonly fieldValidation: FieldValidation;
}

/** @throws StatusError Invalid */
export function parseWriteOptions(query: URLSearchParams, kind: string): WriteOptions {
  const dryRun = query.getAll('dryRun').filter((value) => value !== '');
  const validation = query.get('fieldValidation') ?? '';
  const errors: FieldError[] = [];
  if (dryRun.some((value) => value !== 'All')) {
    errors.push(notSupported('dryRun', dryRun, ['All']));
  }
  if (validation !== '' && validation !== 'Ignore' && validation !== 'Warn' && validation !== 'Strict') {
    errors.push(notSupported('fieldValidation', validation, ['', 'Ignore', 'Strict', 'Warn']));
  }
  if (errors.length > 0) {
    throw invalid({ group: 'meta.k8s.io', kind }, '', errors);
  }
  return {
    dryRun: dryRun.length > 0,
    fieldValidation: validation === 'Ignore' || validation === 'Strict' ? validation : 'Warn',
  };
}
