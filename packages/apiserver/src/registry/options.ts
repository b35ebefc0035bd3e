import {
  badRequest,
  type FieldError,
  type FieldRequirement,
  type FieldValidation,
  forbiddenField,
  invalid,
  type LabelFilter,
  notSupported,
  parseFieldSelector,
  parseLabelSelector,
  required,
} from '@wherry/api';
import { isTrue } from '../http/request-info.ts';
import { managerNameErrors } from '../managedfields/manager-name.ts';

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
  return watch ? withInitialEvents(options) : options;
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
  const errors: FieldError[] = [];
  if (match !== '') {
    if (resourceVersion === '') {
      errors.push(matchForbidden('resourceVersionMatch is forbidden unless resourceVersion is provided'));
    }
    if (options.continueToken !== '') {
      errors.push(matchForbidden('resourceVersionMatch is forbidden when continue is provided'));
    }
    if (options.match === '') {
      errors.push(notSupported('resourceVersionMatch', match, ['Exact', 'NotOlderThan', '']));
    }
    if (options.match === 'Exact' && resourceVersion === '0') {
      errors.push(matchForbidden('resourceVersionMatch "exact" is forbidden for resourceVersion "0"'));
    }
  }
  if (options.sendInitialEvents !== undefined) {
    errors.push(forbiddenField('sendInitialEvents', 'sendInitialEvents is forbidden for list'));
  }
  return errors;
}

function watchErrors(options: ListOptions, match: string): readonly FieldError[] {
  const errors: FieldError[] = [];
  if (options.sendInitialEvents !== undefined && match !== 'NotOlderThan') {
    errors.push(matchForbidden('sendInitialEvents requires setting resourceVersionMatch to NotOlderThan'));
  }
  if (match !== '') {
    if (options.sendInitialEvents === undefined) {
      errors.push(matchForbidden('resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided'));
    }
    if (match !== 'NotOlderThan') {
      errors.push(notSupported('resourceVersionMatch', match, ['NotOlderThan']));
    }
    if (options.continueToken !== '') {
      errors.push(matchForbidden('resourceVersionMatch is forbidden when continue is provided'));
    }
  }
  return errors;
}

function matchForbidden(detail: string): FieldError {
  return forbiddenField('resourceVersionMatch', detail);
}

/** An old way to say it: a watch from nowhere, or from revision 0, begins with what is there (upstream's defaulting). */
function withInitialEvents(options: ListOptions): ListOptions {
  const fromNowhere = options.resourceVersion === undefined || options.resourceVersion === 0;
  return fromNowhere && options.match === '' && options.sendInitialEvents === undefined
    ? { ...options, sendInitialEvents: true, match: 'NotOlderThan' }
    : options;
}

/** Options that all writes share. */
export interface WriteOptions {
  readonly dryRun: boolean;
  readonly fieldValidation: FieldValidation;
  /** '' when the client does not name itself. */
  readonly fieldManager: string;
  /** Of an apply: take fields from others. */
  readonly force: boolean;
}

/** What kind of write the options are of; an apply must say who applies. */
export type WriteOptionsKind = 'CreateOptions' | 'UpdateOptions' | 'PatchOptions' | 'apply';

/** @throws StatusError Invalid */
export function parseWriteOptions(query: URLSearchParams, of: WriteOptionsKind): WriteOptions {
  const kind = of === 'apply' ? 'PatchOptions' : of;
  const fieldManager = query.get('fieldManager') ?? '';
  const force = query.get('force') ?? '';
  const dryRun = query.getAll('dryRun').filter((value) => value !== '');
  const validation = query.get('fieldValidation') ?? '';
  const errors: FieldError[] = [];
  if (of === 'PatchOptions' && force !== '') {
    errors.push(forbiddenField('force', 'may not be specified for non-apply patch'));
  }
  if (of === 'apply' && fieldManager === '') {
    errors.push(required('fieldManager', 'is required for apply patch'));
  }
  errors.push(...managerNameErrors(fieldManager));
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
    fieldManager,
    force: of === 'apply' && isTrue(force === '' ? null : force),
  };
}
