/** What a request is about, from its method and path alone (upstream's RequestInfo). */
export interface RequestInfo {
  readonly path: string;
  readonly isResourceRequest: boolean;
  /** API verb for resource requests (get, list, watch, create, update, patch, delete, deletecollection), else the lower-case method. */
  readonly verb: string;
  readonly group: string;
  readonly version: string;
  readonly namespace: string;
  readonly resource: string;
  readonly subresource: string;
  readonly name: string;
  /** What follows the subresource, for proxies: `a/b`. */
  readonly rest: string;
}

/** A percent-encoding that cannot be decoded. */
export class MalformedPath extends Error {
  override readonly name = 'MalformedPath';
}

/** Under a namespace's name these are its subresources, anything else a namespaced resource. */
const namespaceSubresources = new Set(['status', 'finalize']);

const verbs: Readonly<Record<string, string>> = {
  POST: 'create',
  GET: 'get',
  HEAD: 'get',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
};

export function parseRequestInfo(method: string, path: string, query: URLSearchParams): RequestInfo {
  const plain = nonResource(method, path);
  const parts = path.split('/').filter((part) => part !== '');
  const first = parts[0];
  if (parts.length < 3 || (first !== 'api' && first !== 'apis') || (first === 'apis' && parts.length < 4)) {
    return plain;
  }
  const grouped = first === 'apis';
  const group = grouped ? (parts[1] ?? '') : '';
  const version = (grouped ? parts[2] : parts[1]) ?? '';
  let rest = parts.slice(grouped ? 3 : 2).map(decode);
  let verb = verbs[method] ?? method.toLowerCase();
  let legacyWatch = false;
  if (rest[0] === 'watch' || rest[0] === 'proxy') {
    if (rest.length < 2) {
      return plain;
    }
    legacyWatch = rest[0] === 'watch';
    verb = rest[0] ?? verb;
    rest = rest.slice(1);
  }
  let namespace = '';
  if (rest[0] === 'namespaces' && rest.length > 1) {
    namespace = rest[1] ?? '';
    if (rest.length > 2 && !namespaceSubresources.has(rest[2] ?? '')) {
      rest = rest.slice(2);
    }
  }
  const [resource = '', name = '', subresource = '', ...tail] = rest;
  if (name === '' && !legacyWatch) {
    verb = collectionVerb(verb, query);
  } else if (verb === 'get' && subresource === '' && isTrue(query.get('watch'))) {
    verb = 'watch';
  }
  return {
    path,
    isResourceRequest: true,
    verb,
    group,
    version,
    namespace,
    resource,
    subresource,
    name: name === '' && (verb === 'list' || verb === 'watch' || verb === 'deletecollection') ? nameFrom(query) : name,
    rest: tail.join('/'),
  };
}

function collectionVerb(verb: string, query: URLSearchParams): string {
  if (verb === 'get') {
    return isTrue(query.get('watch')) ? 'watch' : 'list';
  }
  return verb === 'delete' ? 'deletecollection' : verb;
}

/** Booleans in queries: present and neither `0` nor `false`. */
export function isTrue(value: string | null): boolean {
  return value !== null && value !== '0' && value !== 'false' && value !== 'False';
}

/** Rights may be given for one name, so a collection request that selects one name is judged by it. */
function nameFrom(query: URLSearchParams): string {
  const selector = query.get('fieldSelector');
  const found = selector === null ? null : /(?:^|,)metadata\.name==?([^,=!\\]+)(?:,|$)/.exec(selector);
  return found?.[1] ?? '';
}

function nonResource(method: string, path: string): RequestInfo {
  return {
    path,
    isResourceRequest: false,
    verb: method.toLowerCase(),
    group: '',
    version: '',
    namespace: '',
    resource: '',
    subresource: '',
    name: '',
    rest: '',
  };
}

function decode(part: string): string {
  if (!part.includes('%')) {
    return part;
  }
  try {
    return decodeURIComponent(part);
  } catch (cause) {
    throw new MalformedPath(`invalid URL escape in "${part}"`, { cause });
  }
}
